package release

import (
	"strconv"
	"strings"
)

// Suggest finds the known word that is nearest to a misspelt one, or "" when
// none is near enough to be meant.
func Suggest(word string, known []string) string {
	best, distance := "", max(2, len(word)/3)+1
	for _, candidate := range known {
		if d := editDistance(strings.ToLower(word), candidate); d < distance {
			best, distance = candidate, d
		}
	}
	return best
}

// didYouMean is Suggest as the end of a sentence: `; did you mean "x"?`, or nothing.
func didYouMean(word string, known []string) string {
	if s := Suggest(word, known); s != "" {
		return "; did you mean " + strconv.Quote(s) + "?"
	}
	return ""
}

// meantOrKnown is didYouMean, or the list of what is known where nothing is near.
func meantOrKnown(word string, known []string) string {
	if meant := didYouMean(word, known); meant != "" {
		return meant
	}
	quoted := make([]string, len(known))
	for i, w := range known {
		quoted[i] = strconv.Quote(w)
	}
	return "; known are " + strings.Join(quoted, ", ")
}

// editDistance is the number of letters to insert, delete, replace or swap
// with their neighbour to get from a to b.
func editDistance(a, b string) int {
	if len(a) > 128 {
		return len(a) // nobody misspells that much
	}
	older, old, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range old {
		old[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(old[j]+1, row[j-1]+1, old[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], older[j-2]+1)
			}
		}
		older, old, row = old, row, older
	}
	return old[len(b)]
}
