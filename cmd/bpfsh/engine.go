package main

import (
	"fmt"
	"slices"
	"strings"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/engine/kernel"
	"bpfsh/builtins/engine/memory"
)

// engineNames are what --engine takes.
var engineNames = []string{"kernel", "memory", "auto"}

func checkEngine(name string) error {
	if !slices.Contains(engineNames, name) {
		return fmt.Errorf("--engine %s: want %s", name, strings.Join(engineNames, ", "))
	}
	return nil
}

// chooseEngine makes the engine of a name. mounted is told of a bpffs that is mounted for a pin; nil: none is. warn
// says in a line what auto has fallen back to. close gives up what the engine has for itself.
func chooseEngine(name string, mounted func(dir string), warn func(string)) (e engine.Engine, close func() error) {
	if name == "auto" {
		if err := notPermitted(); err != nil {
			name = "memory"
			warn("bpfsh: bpf() is not permitted" + missing() + ": the maps are in this process (--engine memory), and none of the kernel's changes")
		}
	}
	if name == "memory" {
		return &memory.Engine{}, func() error { return nil }
	}
	k := &kernel.Engine{Mounted: mounted}
	return k, k.Close
}

// missing names the capabilities that bpf() wants, where it is they that are missing.
func missing() string {
	if lacks := (&kernel.Engine{}).Missing(); lacks != "" {
		return " (this process lacks " + lacks + ")"
	}
	return ""
}

// notPermitted says why the kernel's maps cannot be used; nil if they can.
func notPermitted() error {
	m, err := (&kernel.Engine{}).Create(engine.Spec{Type: 2, KeySize: 4, ValueSize: 4, MaxEntries: 1})
	if err != nil {
		return err
	}
	return m.Close()
}
