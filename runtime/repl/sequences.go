package repl

// Runes of our own in readline's line. They are noncharacters, which no text has a use for, and never come from
// outside.
const (
	newlineMark rune = 0xFDD0 + iota // stands for '\n' in a line
	pasteMark                        // a key: the next of keyReader's pastes
	deleteMark                       // a key: delete the rune at the cursor
)

func isMark(r rune) bool { return 0xFDD0 <= r && r <= 0xFDEF }

const (
	keyEscape    = 0x1b
	keyBackspace = 0x7f

	// controls are the control characters that readline handles well. ^T panics, NUL and ^Z do worse, others
	// would stand invisible in the line.
	controls = "\x01\x02\x03\x04\x05\x06\a\b\t\n\x0b\f\r\x0e\x10\x12\x13\x15\x17\x19"

	lineStart, lineEnd  = "\x01", "\x05"
	left, right         = "\x02", "\x06"
	up, down            = "\x10", "\x0e"
	wordLeft, wordRight = "\x1bb", "\x1bf"
	deleteWord          = "\x1bd"
	deleteWordLeft      = "\x1b\x7f"

	// leaveSearch ends a search in the history, and does nothing elsewhere. In a search readline would take the
	// marks for text to look for.
	leaveSearch = "\a"
)

// deleteKey is not readline's ESC [ 3 ~, which is its Ctrl-D: on an empty line it would end the input.
var deleteKey = leaveSearch + string(deleteMark)

// sequences are the keys that terminals send as ESC [ …, or as ESC O … in the keypad's application mode. All
// others are dropped: readline would take the rest of those it does not know for typed text.
var sequences = map[string]string{
	"A": up, "B": down, "C": right, "D": left, "H": lineStart, "F": lineEnd,
	"1~": lineStart, "7~": lineStart, "4~": lineEnd, "8~": lineEnd, // tmux, screen, the Linux console
	"1;5D": wordLeft, "1;3D": wordLeft, "5D": wordLeft, "d": wordLeft, // with Ctrl, Alt
	"1;5C": wordRight, "1;3C": wordRight, "5C": wordRight, "c": wordRight,
	"1;2D": left, "1;2C": right, "1;2H": lineStart, "1;2F": lineEnd, // with Shift
	"1;5H": lineStart, "1;5F": lineEnd,
	"3~": deleteKey, "3;5~": deleteWord, "3;3~": deleteWord,
	"M": "\r", // the keypad's Enter, after ESC O
}

const (
	pasteStart = "200~"
	pasteEnd   = "\x1b[201~"
)
