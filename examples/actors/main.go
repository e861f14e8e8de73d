// Actors is an actor system: mailboxes, tell and ask, supervision by restart,
// and shutdown, in about two hundred lines.
//
// An actor waits for its next message in the midst of its work, and for an
// answer in the midst of handling a message, so it is a coroutine. What the rest
// of the system needs, it finds in tasks:
//
//   - The handle of a suspended receive is what a mailbox wakes; a system's
//     scheduler is the list of these handles.
//   - A panic ends the task with a *ctx.PanicError, and nobody else. The
//     supervisor learns of it from a message, and starts the behaviour again on
//     the same mailbox.
//   - Children are children in the tree of cancels: stop ends a whole branch,
//     from the leaves up, and each actor's deferred calls run where it waits.
//
// As there is no goroutine, there is no lock in it, and every run is the same.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
)

func main() {
	if err := run(os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

var errClosing = errors.New("the shop closes")

// An order is a question to the shop.
type order struct {
	item  string
	count int
}

// A refill is told to the shop's stock.
type refill order

func run(log io.Writer) error {
	sys := new(system)
	stock := sys.actor("stock", keepStock(log))
	desk := sys.actor("desk", takeOrders(log, stock))
	shop := sys.actor("shop", supervise(2, log, stock, desk))
	if err := shop.start(); err != nil {
		return err
	}
	buy := func(item string, count int) {
		answer, err := desk.ask(order{item, count})
		if err != nil {
			answer = "sorry"
		}
		fmt.Fprintf(log, "main: %d %s: %v\n", count, item, answer)
	}

	buy("tea", 3)
	stock.tell(refill{"tea", 10})
	buy("tea", 8)
	buy("tea", 0) // stock fails, the desk says sorry, and both go on
	buy("tea", 1)

	fmt.Fprintln(log, "main: close")
	err := shop.stop(errClosing)
	fmt.Fprintf(log, "main: %v, %v; %v\n", err, shop.task, shop.task.Err())
	buy("tea", 1)
	return nil
}

// keepStock knows how much there is, as long as it lives.
func keepStock(log io.Writer) func(a *actor) {
	return func(a *actor) {
		stock := map[string]int{"tea": 5}
		fmt.Fprintln(log, "stock: open with", stock["tea"], "tea")
		defer func() { fmt.Fprintln(log, "stock: closed with", stock["tea"], "tea") }()
		for {
			switch m := a.receive().(type) {
			case refill:
				stock[m.item] += m.count
			case *question:
				o := m.value.(order)
				enough := stock[o.item]/o.count > 0 // who would order none?
				if enough {
					stock[o.item] -= o.count
				}
				m.reply(enough, nil)
			}
		}
	}
}

// takeOrders asks the stock while it has a customer.
func takeOrders(log io.Writer, stock *actor) func(a *actor) {
	return func(a *actor) {
		customers := 0
		defer func() { fmt.Fprintln(log, "desk: closed after", customers, "customers") }()
		for {
			q, ok := a.receive().(*question)
			if !ok {
				continue
			}
			customers++
			switch there, err := stock.ask(q.value); {
			case err != nil:
				q.reply("sorry, come again", nil)
			case there.(bool):
				q.reply("here you are", nil)
			default:
				q.reply("sold out", nil)
			}
		}
	}
}
