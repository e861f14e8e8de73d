package offsets

// A Field ties a name of the layout files to a place in the runtime's types, or
// to one of the runtime's constants.
type Field struct {
	Name string // the Go constant, gSchedSP
	Path string // where DWARF has it, runtime.g.sched.sp or runtime._Grunning
	Doc  string // what the comment beside the constant says

	// Else names the Field whose value stands in where a release has no such
	// field, because what is done with the one is done with the other anyway.
	// Empty: the field must exist.
	Else string
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
	{Name: "gAtomicstatus", Path: "runtime.g.atomicstatus", Doc: "4 bytes"},
	{Name: "gGoid", Path: "runtime.g.goid"},
	{Name: "gWaitreason", Path: "runtime.g.waitreason", Doc: "1 byte"},
	{Name: "gLockedm", Path: "runtime.g.lockedm"},
	{Name: "gSecret", Path: "runtime.g.secret", Doc: "4 bytes", Else: "gLockedm"},
	{Name: "gGopc", Path: "runtime.g.gopc"},
	{Name: "gLabels", Path: "runtime.g.labels"},
	{Name: "gPaniconfault", Path: "runtime.g.paniconfault"},
	{Name: "gFipsIndicator", Path: "runtime.g.fipsIndicator", Doc: "1 byte"},
	{Name: "gFipsOnlyBypass", Path: "runtime.g.fipsOnlyBypass", Doc: "1 byte", Else: "gFipsIndicator"},
	{Name: "gDitWanted", Path: "runtime.g.ditWanted", Doc: "1 byte", Else: "gFipsIndicator"},
	{Name: "gStartpc", Path: "runtime.g.startpc"},
	{Name: "gBubble", Path: "runtime.g.bubble"},
	{Name: "gSudogs", Path: "runtime.g.waiting"},

	{Name: "mG0", Path: "runtime.m.g0"},
	{Name: "mCurg", Path: "runtime.m.curg"},
	{Name: "mLockedExt", Path: "runtime.m.lockedExt", Doc: "4 bytes"},
	{Name: "mLockedInt", Path: "runtime.m.lockedInt", Doc: "4 bytes"},
	{Name: "mP", Path: "runtime.m.p"},
	{Name: "mMallocing", Path: "runtime.m.mallocing", Doc: "4 bytes"},
	{Name: "mPreemptoffLen", Path: "runtime.m.preemptoff.len"},
	{Name: "mLocks", Path: "runtime.m.locks", Doc: "4 bytes"},
	{Name: "mNcgo", Path: "runtime.m.ncgo", Doc: "4 bytes"},

	{Name: "pMaxStackScanDelta", Path: "runtime.p.maxStackScanDelta"},

	{Name: "sudogElem", Path: "runtime.sudog.elem"},
	{Name: "sudogElemTraced", Path: "runtime.sudog.elem.vp", Else: "sudogElem"},
	{Name: "sudogElemValue", Path: "runtime.sudog.elem.vu", Else: "sudogElem"},
	{Name: "sudogWaitlink", Path: "runtime.sudog.waitlink"},

	{Name: "coroGp", Path: "runtime.coro.gp"},
	{Name: "coroF", Path: "runtime.coro.f"},
	{Name: "coroMp", Path: "runtime.coro.mp"},
	{Name: "coroLockedExt", Path: "runtime.coro.lockedExt", Doc: "4 bytes"},
	{Name: "coroLockedInt", Path: "runtime.coro.lockedInt", Doc: "4 bytes"},

	{Name: "gRunning", Path: "runtime._Grunning"},
	{Name: "gWaiting", Path: "runtime._Gwaiting"},
	{Name: "gCopystack", Path: "runtime._Gcopystack"},
	{Name: "gScan", Path: "runtime._Gscan"},
	{Name: "waitReasonCoroutine", Path: "runtime.waitReasonCoroutine"},
	{Name: "runtimeStackGuard", Path: "runtime.stackGuard"},
}
