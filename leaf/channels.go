package leaf

import (
	"sync"

	"github.com/stackhop/stackhop"
)

// channelsKeep reports whether a Go channel or timer made here may serve another
// call later: one that was made in a testing/synctest bubble belongs to that,
// and one that was not holds up the bubble's clock. Where the build cannot
// tell bubbles, none is used twice.
func channelsKeep() bool { return tellsBubbles() && !stackhop.InBubble() }

// tellsBubbles reports whether stackhop.InBubble is to be believed.
var tellsBubbles = sync.OnceValue(func() bool { return stackhop.Backend().Name != "portable" })
