// Host loads the plugin that it is given, and calls its Run.
package main

import (
	"fmt"
	"os"
	"plugin"
)

func main() {
	if err := run(os.Args[1]); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("ok")
}

func run(path string) error {
	p, err := plugin.Open(path)
	if err != nil {
		return err
	}
	f, err := p.Lookup("Run")
	if err != nil {
		return err
	}
	report, err := f.(func() (string, error))()
	fmt.Print(report)
	return err
}
