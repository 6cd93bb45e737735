package main

import (
	"fmt"
	"strings"

	"github.com/spf13/pflag"
)

// completion is the script that completes bpfsh's command line in a shell: the flags, the words that some take, and
// the names of scripts. What follows the script's name is the script's own.
func completion(shell string) string {
	var flags []*pflag.Flag
	flagSet(&options{}).VisitAll(func(f *pflag.Flag) { flags = append(flags, f) })
	switch shell {
	case "bash":
		return bashCompletion(flags)
	case "zsh":
		return zshCompletion(flags)
	default:
		return fishCompletion(flags)
	}
}

// spellings are how a flag is written: "--command", and "-c" if it has a short form.
func spellings(f *pflag.Flag) []string {
	if f.Shorthand != "" {
		return []string{"-" + f.Shorthand, "--" + f.Name}
	}
	return []string{"--" + f.Name}
}

func bashCompletion(flags []*pflag.Flag) string {
	var all, valued []string
	var words strings.Builder
	for _, f := range flags {
		all = append(all, spellings(f)...)
		value, _ := describe(f)
		if value == "" {
			continue
		}
		valued = append(valued, spellings(f)...)
		fmt.Fprintf(&words, "        %s) mapfile -t COMPREPLY < <(compgen -W %q -- \"$cur\"); return ;;\n",
			strings.Join(spellings(f), "|"), strings.Join(f.Annotations[choicesKey], " "))
	}
	return `# bpfsh in bash: source <(bpfsh --completion bash)
_bpfsh() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} i
    COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        ` + strings.Join(valued, "|") + `)
            ((i++))
            if [[ ${COMP_WORDS[i]} == = ]]; then ((i++)); fi ;;
        -?*) ;;
        *) compopt -o default; return ;;
        esac
    done
    if [[ $cur == = ]]; then cur=; elif [[ $prev == = ]]; then prev=${COMP_WORDS[COMP_CWORD-2]}; fi
    case $prev in
` + words.String() + `    esac
    if [[ $cur == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "` + strings.Join(all, " ") + `" -- "$cur")
    else
        compopt -o filenames
        mapfile -t COMPREPLY < <(compgen -f -X '!*.star' -- "$cur"; compgen -d -- "$cur")
    fi
}
complete -F _bpfsh bpfsh
`
}

func zshCompletion(flags []*pflag.Flag) string {
	var rows strings.Builder
	for _, f := range flags {
		value, text := describe(f)
		action := ""
		if value != "" {
			action = ":" + value + ":"
			if words := f.Annotations[choicesKey]; words != nil {
				action += "(" + strings.Join(words, " ") + ")"
			}
		}
		text = strings.NewReplacer("'", `'\''`, "[", `\[`, "]", `\]`, ":", `\:`).Replace(text)
		names := spellings(f)
		if len(names) == 1 {
			fmt.Fprintf(&rows, "        '%s[%s]%s' \\\n", names[0], text, action)
			continue
		}
		fmt.Fprintf(&rows, "        '(%s)'{%s}'[%s]%s' \\\n", strings.Join(names, " "), strings.Join(names, ","), text, action)
	}
	return `#compdef bpfsh
# bpfsh in zsh: bpfsh --completion zsh > "${fpath[1]}/_bpfsh"
_bpfsh() {
    _arguments -s -S -A '-*' \
` + rows.String() + `        '1:script:_files -g "*.star"' \
        '*::argument:_files'
}
if [[ $funcstack[1] == _bpfsh ]]; then
    _bpfsh "$@"
else
    compdef _bpfsh bpfsh
fi
`
}

func fishCompletion(flags []*pflag.Flag) string {
	var rows strings.Builder
	for _, f := range flags {
		value, text := describe(f)
		rows.WriteString("complete -c bpfsh -n __bpfsh_before_script")
		if f.Shorthand != "" {
			rows.WriteString(" -s " + f.Shorthand)
		}
		fmt.Fprintf(&rows, " -l %s", f.Name)
		if value != "" {
			rows.WriteString(" -x")
		}
		if words := f.Annotations[choicesKey]; words != nil {
			fmt.Fprintf(&rows, " -a '%s'", strings.Join(words, " "))
		}
		fmt.Fprintf(&rows, " -d '%s'\n", strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(text))
	}
	var valued []string
	for _, f := range flags {
		if value, _ := describe(f); value != "" {
			valued = append(valued, spellings(f)...)
		}
	}
	return `# bpfsh in fish: bpfsh --completion fish > ~/.config/fish/completions/bpfsh.fish
function __bpfsh_before_script
    set -l words (commandline -opc)
    set -l skip 1
    for word in $words
        if test $skip = 1
            set skip 0
        else if contains -- $word ` + strings.Join(valued, " ") + `
            set skip 1
        else if not string match -q -- '-?*' $word
            return 1
        end
    end
    return 0
end
` + rows.String() + `complete -c bpfsh -n __bpfsh_before_script -k -a '(__fish_complete_suffix .star)'
`
}
