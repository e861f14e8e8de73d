package tests

import "context"

// taskRunners start tasks of package ctx.
var taskRunners []runner

var labelContext = context.Background()
