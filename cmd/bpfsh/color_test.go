package main

import "testing"

// TestColored weighs the flag, the variables and the stream.
func TestColored(t *testing.T) {
	for _, test := range []struct {
		mode     string
		terminal bool
		env      map[string]string
		want     bool
	}{
		{"auto", true, nil, true},
		{"auto", false, nil, false},
		{"auto", true, map[string]string{"TERM": "dumb"}, false},
		{"auto", true, map[string]string{"NO_COLOR": "1"}, false},
		{"auto", true, map[string]string{"NO_COLOR": ""}, true},
		{"auto", false, map[string]string{"FORCE_COLOR": "1"}, true},
		{"auto", false, map[string]string{"FORCE_COLOR": "0"}, false},
		{"auto", false, map[string]string{"CLICOLOR_FORCE": "1"}, true},
		{"auto", true, map[string]string{"NO_COLOR": "1", "FORCE_COLOR": "1"}, false},
		{"always", false, map[string]string{"NO_COLOR": "1", "TERM": "dumb"}, true},
		{"never", true, map[string]string{"FORCE_COLOR": "1"}, false},
	} {
		if got := colored(test.mode, test.terminal, func(name string) string { return test.env[name] }); got != test.want {
			t.Errorf("--color %s, terminal %t, %v: coloured %t, want %t", test.mode, test.terminal, test.env, got, test.want)
		}
	}
}
