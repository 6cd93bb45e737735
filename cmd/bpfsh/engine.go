package main

import (
	"errors"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/engine/kernel"
	"bpfsh/builtins/engine/memory"

	"golang.org/x/sys/unix"
)

// engineNames are what --engine takes.
var engineNames = []string{"kernel", "memory", "auto"}

// chooseEngine makes the engine of a name. mounted is told of a bpffs that is mounted for a pin; nil: none is. warn
// says in a line what auto has fallen back to. close gives up what the engine has for itself.
func chooseEngine(name string, mounted func(dir string), warn func(string)) (e engine.Engine, close func() error) {
	if name == "auto" {
		if err := notPermitted(); errors.Is(err, unix.EPERM) || errors.Is(err, unix.ENOSYS) {
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
	if lacks := (&kernel.Engine{}).Missing(engine.MakingPrivileged); lacks != "" {
		return " (this process lacks " + lacks + ")"
	}
	return ""
}

// notPermitted says why the kernel's maps cannot be used; nil if they can. An ordinary user may be permitted to make
// some types of maps, and a trie is not one of them.
func notPermitted() error {
	trie, _ := engine.TypeByName("lpm_trie")
	m, err := (&kernel.Engine{}).Create(engine.Spec{Type: trie, KeySize: 8, ValueSize: 4, MaxEntries: 1, Flags: engine.KindOf(trie).Flags})
	if err != nil {
		return err
	}
	return m.Close()
}
