package tests

// taskRunners start tasks of package ctx.
var taskRunners []runner
