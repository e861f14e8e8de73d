// Package mmapstack makes the memory that coroutine stacks lie in: mapped from
// the system with a guard below, taken from static memory, or carved from
// another stack. It hands out [stackhop.Region] values and knows nothing of
// coroutines.
//
//	kind       made by              guard                     freed by
//	Pooled     Pool.Get             a gap of pages            Pool.Put, Pool.Trim, Pool.Close
//	Own        New                  a gap of pages            Stack.Close
//	Carved     Stack.Carve          the prologue's check      Stack.Close, last carved first
//	StaticMem  Static               the prologue's check,     never (Close ends its use)
//	                                pages with WithGuard
//
// # Layout
//
// Mapped stacks of one size lie side by side in a slab, which is one mapping:
//
//	low                                                          high
//	├─ gap ─┼── usable 0 ──┼─ gap ─┼── usable 1 ──┼─ … ──┼─ gap ─┤
//	        Lo        Top↑  ↑Hi
//	           colour ───┘
//
// A gap is one page, or what WithGuard asks for, and touching it faults. It is
// the guard of the stack above it, and the part that faults of the dead space
// (see [stackhop.Region]) of the stack below it. The rest of the dead space, a
// third of the usable part, lies over the stack above: nothing reads or writes
// through it. Above the highest stack of a slab it is memory of the slab that
// nobody uses. With MADV_GUARD_INSTALL (Linux 6.13) gaps cost no mapping of
// their own; with mprotect each stack costs two. Which of them serves is probed
// once, on first use; [GuardKind] tells.
//
// A stack that grows in place (WithGrowth, WithPoolGrowth) has its limit between
// reserve and usable part, and its widest window, [Limit, Hi), is a power of two:
//
//	├─ gap ─┼─ reserve ─┼─────────── usable ───────────┼─ gap ─┼─ reserve ─ … ─ the next
//	        Lo          Limit        … first window Top↑                     ↑Hi
//
// # Page tables
//
// A page of page tables, 4 KiB, serves 2 MiB of addresses (with pages of 4 KiB),
// and every stack has at least the page below its Top and the guard above. So a
// task costs its share of the address space, divided by 512, in page tables, 4 KiB
// at most: 136 bytes for 64 KiB, 264 for 64 KiB that grow, 0.8 KiB for 256 KiB
// that grow, 3.1 KiB for 1 MiB that grow. No layout needs less than the usable
// bytes divided by 512, as stacks are used from their top and their tops cannot be
// closer together. A smaller reserve (WithGrowth) comes nearer to that.
//
// # Policy numbers
//
//   - DefaultSize is 64 KiB: room for fmt, encoding/json and a system call at
//     the leaf. Only touched pages cost memory, and a suspended coroutine
//     counts its used part alone in the collector's pacing, so that a larger
//     window is address space and nothing else.
//   - Colouring: eight colours, 128 bytes apart. Stack i of a slab starts
//     128·(i mod 8) bytes below the end of its last page, otherwise the hottest
//     lines of all stacks would fall into the same sets of the first-level
//     cache. It costs 448 bytes a stack on average, 896 at most, and no page:
//     a shallow task still touches one page only. Stacks of a single page have
//     no colour.
//   - A slab holds 16 stacks, the next twice as many, up to 1024 or 64 MiB,
//     whichever is less. If the system refuses, half as many are tried, down
//     to one.
//   - A Stack is 64 bytes of Go heap, a cache line that no other has a part in. Those
//     of a slab are made with it, eight in one object.
//   - With mprotect, guards use at most half of vm.max_map_count
//     (32765 mappings, some 16,000 stacks, by default).
//   - A stack that grows has GrowDefault, 128 KiB, usable, and a reserve of half
//     that, 64 KiB at least: deferred calls that panic again at each level, as
//     encoding/json's do, run below all frames of the recursion, and need four tenths
//     of what these do. Memory is what is touched. The first window is FirstDefault,
//     8 KiB, of which 6 KiB are usable.
//   - Pages: Put keeps the pages of as many idle stacks as make up
//     KeepDefault bytes (64 MiB; WithKeep). Of a stack beyond that it gives
//     back all pages but those of the topmost IdleLive bytes below Top
//     (MADV_DONTNEED): one page stays, 4 KiB on most systems. Where idle stacks
//     hold IdleDefault bytes (4 GiB, a quarter of the machine's memory at most;
//     WithIdleBytes), which a million of one page each do, Put frees the stack:
//     it evicts what is attached and gives the whole stack back. Trim does that to
//     all idle stacks, and unmaps slabs that have none in use.
//   - One system call serves many stacks where many are wanted or given back: the
//     pages of up to 64 stacks are given up together, and a program that takes more
//     and more stacks has the guards and the first pages of up to 64 of the next
//     ones made together, once 16 have been taken (process_madvise, Linux 6.14;
//     elsewhere one call does for one stack).
//   - A pool maps at most MaxDefault (1,048,576; WithMax) stacks.
//   - High-water marks: [Stack.HighWater] finds one by reading, so that a stack
//     that nobody asks pays nothing. Uses are counted apart by a pool made
//     WithHighWater, and while WatchSites is on, which package guard's Report uses.
//   - Default has one pool per power of two.
//
// System calls: mmap, munmap, madvise, mprotect, mincore, and on Linux getrlimit,
// sysinfo, process_madvise, process_vm_readv (the probe for guards, and Static),
// and reads of /proc/sys/vm/max_map_count and, for Static, /proc/self/maps. Where
// a seccomp filter refuses one of them with an error, mmap, munmap and mprotect
// excepted, something else serves. A filter that kills has to allow them all.
//
// The package starts no goroutine, does nothing at import, sets no fork
// flags, and asks for no huge pages. Mapped stacks are not Go memory: GOMEMLIMIT and
// runtime.MemStats do not see them; [Totals] and [Pool.Stats] do.
//
// # Invariants
//
//	M1  Stack memory is never Go heap: it comes from mmap, or Static has asked
//	    the runtime that no heap object is there.
//	M2  A slab stays mapped until no stack of it is out, and a Stack's slab is
//	    reachable from it.
//	M3  This package computes with addresses of stack memory, and makes no
//	    pointer from an address. It reads and writes the memory only for high-water
//	    marks, by slices that mmap or the caller of Static gave, and writes only
//	    where nothing lives.
//	M4  A Stack has one owner at a time: its user between Get and Put, else
//	    the list that it is on. Only the owner reads or writes its fields.
//	M5  While a stack is idle, its live bytes lie in [Top-IdleLive, Top).
//	M6  Between two stacks of a slab there is always a whole gap; no page of it is
//	    ever given to a stack.
//	M7  Dead space is never Go heap, or the collector would take a pointer to an
//	    object there for one into the stack, and not mark the object. That of
//	    static and carved stacks lies inside their own memory, that of mapped
//	    ones inside their slab. Other stacks may lie there: a pointer into them
//	    is none that the collector follows, in either case.
//	M8  GuardOwner alone breaks M4, and only reads: what it finds may be out of date,
//	    or half changed if the owner attaches something in that moment.
package mmapstack
