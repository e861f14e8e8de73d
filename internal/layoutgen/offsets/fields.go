package offsets

import "strings"

// A Field ties a name of the layout files to a place in the runtime's types, or
// to one of the runtime's constants.
type Field struct {
	Name string // the Go constant, gSchedSP
	Path string // where DWARF has it, runtime.g.sched.sp or runtime._Grunning
	Size int    // of the field in bytes; 0: 8, less than 0: it differs from release to release

	// Else names the Field whose value stands in where a release has no such
	// field, because what is done with the one is done with the other anyway.
	// Empty: the field must exist.
	Else string
}

// Bytes returns the field's size, 0 if that differs from release to release.
func (f Field) Bytes() int {
	if f.Size == 0 {
		return 8
	}
	return max(f.Size, 0)
}

// Split returns the runtime's type that f lies in and the field's path there:
// g and sched.sp. Both are empty for a constant.
func (f Field) Split() (typ, path string) {
	if f.Constant() {
		return "", ""
	}
	typ, path, _ = strings.Cut(strings.TrimPrefix(f.Path, "runtime."), ".")
	return typ, path
}

// Constant reports whether f is a constant of the runtime, no field's offset.
func (f Field) Constant() bool { return !isField(f.Path) }

// Fields lists everything that the layout files hold, in their order.
var Fields = []Field{
	{Name: "gStackLo", Path: "runtime.g.stack.lo"},
	{Name: "gStackHi", Path: "runtime.g.stack.hi"},
	{Name: "gStackguard0", Path: "runtime.g.stackguard0"},
	{Name: "gPanic", Path: "runtime.g._panic"},
	{Name: "gDefer", Path: "runtime.g._defer"},
	{Name: "gM", Path: "runtime.g.m"},
	{Name: "gSchedSP", Path: "runtime.g.sched.sp"},
	{Name: "gSchedPC", Path: "runtime.g.sched.pc"},
	{Name: "gSchedCtxt", Path: "runtime.g.sched.ctxt"},
	{Name: "gSchedLR", Path: "runtime.g.sched.lr"},
	{Name: "gSchedBP", Path: "runtime.g.sched.bp"},
	{Name: "gStktopsp", Path: "runtime.g.stktopsp"},
	{Name: "gAtomicstatus", Path: "runtime.g.atomicstatus", Size: 4},
	{Name: "gGoid", Path: "runtime.g.goid"},
	{Name: "gWaitreason", Path: "runtime.g.waitreason", Size: 1},
	{Name: "gLockedm", Path: "runtime.g.lockedm"},
	{Name: "gSecret", Path: "runtime.g.secret", Size: 4, Else: "gLockedm"},
	{Name: "gGopc", Path: "runtime.g.gopc"},
	{Name: "gLabels", Path: "runtime.g.labels"},
	{Name: "gPaniconfault", Path: "runtime.g.paniconfault", Size: 1},
	{Name: "gFipsIndicator", Path: "runtime.g.fipsIndicator", Size: 1},
	{Name: "gFipsOnlyBypass", Path: "runtime.g.fipsOnlyBypass", Size: 1, Else: "gFipsIndicator"},
	{Name: "gDitWanted", Path: "runtime.g.ditWanted", Size: 1, Else: "gFipsIndicator"},
	{Name: "gStartpc", Path: "runtime.g.startpc"},
	{Name: "gBubble", Path: "runtime.g.bubble"},
	{Name: "gSudogs", Path: "runtime.g.waiting"},

	{Name: "mG0", Path: "runtime.m.g0"},
	{Name: "mCurg", Path: "runtime.m.curg"},
	{Name: "mLockedExt", Path: "runtime.m.lockedExt", Size: 4},
	{Name: "mLockedInt", Path: "runtime.m.lockedInt", Size: 4},
	{Name: "mP", Path: "runtime.m.p"},
	{Name: "mMallocing", Path: "runtime.m.mallocing", Size: 4},
	{Name: "mPreemptoffLen", Path: "runtime.m.preemptoff.len"},
	{Name: "mLocks", Path: "runtime.m.locks", Size: 4},

	{Name: "sudogElem", Path: "runtime.sudog.elem", Size: -1},
	{Name: "sudogElemTraced", Path: "runtime.sudog.elem.vp", Else: "sudogElem"},
	{Name: "sudogElemValue", Path: "runtime.sudog.elem.vu", Else: "sudogElem"},
	{Name: "sudogWaitlink", Path: "runtime.sudog.waitlink"},

	{Name: "coroGp", Path: "runtime.coro.gp"},
	{Name: "coroF", Path: "runtime.coro.f"},
	{Name: "coroMp", Path: "runtime.coro.mp"},
	{Name: "coroLockedExt", Path: "runtime.coro.lockedExt", Size: 4},
	{Name: "coroLockedInt", Path: "runtime.coro.lockedInt", Size: 4},

	{Name: "funcEntryOff", Path: "runtime._func.entryOff", Size: 4},
	{Name: "funcNameOff", Path: "runtime._func.nameOff", Size: 4},
	{Name: "funcArgs", Path: "runtime._func.args", Size: 4},
	{Name: "funcNpcdata", Path: "runtime._func.npcdata", Size: 4},
	{Name: "funcFuncID", Path: "runtime._func.funcID", Size: 1},
	{Name: "funcNfuncdata", Path: "runtime._func.nfuncdata", Size: 1},
	{Name: "moduleFuncnametab", Path: "runtime.moduledata.funcnametab", Size: 24},
	{Name: "modulePctab", Path: "runtime.moduledata.pctab", Size: 24},
	{Name: "modulePclntable", Path: "runtime.moduledata.pclntable", Size: 24},
	{Name: "moduleFtab", Path: "runtime.moduledata.ftab", Size: 24},
	{Name: "moduleText", Path: "runtime.moduledata.text"},
	{Name: "moduleEtext", Path: "runtime.moduledata.etext"},
	{Name: "moduleEnd", Path: "runtime.moduledata.end"},
	{Name: "moduleGofunc", Path: "runtime.moduledata.gofunc"},
	{Name: "moduleTextsectmap", Path: "runtime.moduledata.textsectmap", Size: 24},
	{Name: "moduleNext", Path: "runtime.moduledata.next"},

	{Name: "gRunning", Path: "runtime._Grunning"},
	{Name: "gWaiting", Path: "runtime._Gwaiting"},
	{Name: "gCopystack", Path: "runtime._Gcopystack"},
	{Name: "gScan", Path: "runtime._Gscan"},
	{Name: "waitReasonCoroutine", Path: "runtime.waitReasonCoroutine"},
	{Name: "runtimeStackGuard", Path: "runtime.stackGuard"},
}

// Discovered lists what the kernel takes from the running program's own types, since
// it moves with a GOEXPERIMENT. The layout files do not have it.
var Discovered = []Field{
	{Name: "maxStackScanDelta", Path: "runtime.p.maxStackScanDelta"},
}
