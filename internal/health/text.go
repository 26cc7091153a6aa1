package health

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// sentence trims a message of Kubernetes to one that can stand inside ours:
// no surrounding space, no final full stop.
func sentence(s string) string {
	return strings.TrimSuffix(strings.TrimSpace(s), ".")
}

// lowerFirst makes a sentence continue another; words in capitals stay.
func lowerFirst(s string) string {
	r, size := utf8.DecodeRuneInString(s)
	next, _ := utf8.DecodeRuneInString(s[size:])
	if unicode.IsUpper(next) {
		return s
	}
	return string(unicode.ToLower(r)) + s[size:]
}
