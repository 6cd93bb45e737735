package render

// The signs that pictures are made of, and what stands for each in ASCII.
const (
	eighths, eighthsASCII = "▏▎▍▌▋▊▉█", "########"
	levels, levelsASCII   = "▁▂▃▄▅▆▇█", "_.-=+*#@"
)

// signs are what pictures and cuts say in one character where the terminal knows it.
type signs struct{ wall, arrow, times, dot, gap string }

func (o Options) signs() signs {
	if o.ASCII {
		return signs{wall: "|", arrow: "<-", times: "x", dot: ",", gap: "..."}
	}
	return signs{wall: "│", arrow: "←", times: "×", dot: " ·", gap: "…"}
}

// Gap stands for what is there and is not known.
func Gap(ascii bool) string { return Options{ASCII: ascii}.signs().gap }
