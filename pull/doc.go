// Package pull stands in for iter.Pull and iter.Pull2, with the same contract
// and a switch that costs a fraction: the iterator runs on a coroutine of
// package stackhop.
package pull
