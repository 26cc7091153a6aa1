package ledger

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
)

// Masked stands where a secret value was.
const Masked = "***"

// shortestSecret is the length in bytes below which a value is not masked:
// shorter ones are words such as "admin", and masking those would blank out
// half a log.
const shortestSecret = 6

// Masker takes secret values out of text. It finds them plain, in base64, and
// as JSON and URLs write them; a value of several lines is looked for line by
// line, since text comes in lines. Where values overlap, all they cover goes.
// It does not change and is safe for concurrent use; nil masks nothing.
type Masker struct {
	values map[string]bool
	// patterns are those to look for, by their first bytes, longest first.
	patterns map[prefix][]string
	// maybe is a filter over the first bytes: almost all text is let pass by it
	// without a look into the map.
	maybe [filterSize / 64]uint64
}

// prefix is the first shortestSecret bytes of a pattern.
type prefix = uint64

const filterSize = 1 << 14

// NewMasker masks those values. Short ones are left out.
func NewMasker(values ...string) *Masker { return (*Masker)(nil).With(values...) }

// With is a masker of these values too. It is the same one when there is nothing new.
func (m *Masker) With(values ...string) *Masker {
	all := map[string]bool{}
	if m != nil {
		for v := range m.values {
			all[v] = true
		}
	}
	before := len(all)
	for _, v := range values {
		if len(strings.TrimSpace(v)) >= shortestSecret {
			all[v] = true
		}
	}
	if len(all) == before {
		return m
	}
	next := &Masker{values: all, patterns: map[prefix][]string{}}
	known := map[string]bool{}
	for v := range all {
		for _, form := range forms(v) {
			if len(form) >= shortestSecret && !known[form] {
				known[form] = true
				next.look(form)
			}
		}
	}
	for _, same := range next.patterns {
		slices.SortFunc(same, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	}
	return next
}

func (m *Masker) look(pattern string) {
	var p prefix
	for i := range shortestSecret {
		p = p<<8 | prefix(pattern[i])
	}
	m.patterns[p] = append(m.patterns[p], pattern)
	h := hash(p)
	m.maybe[h/64] |= 1 << (h % 64)
}

// forms are all that a value may look like in one line of text.
func forms(value string) []string {
	var out []string
	for line := range strings.SplitSeq(value, "\n") {
		out = append(out, written(strings.TrimSpace(line))...)
	}
	trimmed := strings.TrimSpace(value)
	// With the newline: what `echo $PASSWORD | base64` gives.
	for _, v := range []string{value, trimmed, trimmed + "\n"} {
		encoded := base64.StdEncoding.EncodeToString([]byte(v))
		out = append(out, encoded, strings.TrimRight(encoded, "="), base64.URLEncoding.EncodeToString([]byte(v)))
		for _, width := range []int{64, 76} { // the line lengths of openssl and base64
			for rest := encoded; len(encoded) > width && rest != ""; {
				n := min(width, len(rest))
				out = append(out, rest[:n])
				rest = rest[n:]
			}
		}
	}
	return out
}

// written are a line plain, in a JSON string and in a URL.
func written(line string) []string {
	query := url.QueryEscape(line)
	out := []string{line, query, strings.ReplaceAll(query, "+", "%20")}
	if quoted, err := json.Marshal(line); err == nil {
		out = append(out, string(quoted[1:len(quoted)-1]))
	}
	return out
}

// Text masks one line, or any text that is not cut within a value.
func (m *Masker) Text(text string) string {
	if m == nil || len(m.patterns) == 0 || len(text) < shortestSecret {
		return text
	}
	var out strings.Builder
	// Up to done the text is written; from begin to end it is secret.
	done, begin, end := 0, -1, -1
	var p prefix
	for i := range len(text) {
		p = (p<<8 | prefix(text[i])) & (1<<(8*shortestSecret) - 1)
		if i+1 < shortestSecret {
			continue
		}
		h := hash(p)
		if m.maybe[h/64]&(1<<(h%64)) == 0 {
			continue
		}
		at := i + 1 - shortestSecret
		n := m.match(p, text[at:])
		if n == 0 {
			continue
		}
		if at > end {
			done = flushMasked(&out, text, done, begin, end)
			begin = at
		}
		end = max(end, at+n)
	}
	if begin < 0 {
		return text
	}
	done = flushMasked(&out, text, done, begin, end)
	out.WriteString(text[done:])
	return out.String()
}

// flushMasked writes the text from done up to a secret, and the mask for it.
func flushMasked(out *strings.Builder, text string, done, begin, end int) int {
	if begin < 0 {
		return done
	}
	out.WriteString(text[done:begin])
	out.WriteString(Masked)
	return end
}

// match is the length of the longest pattern that the text begins with.
func (m *Masker) match(p prefix, text string) int {
	for _, pattern := range m.patterns[p] {
		if strings.HasPrefix(text, pattern) {
			return len(pattern)
		}
	}
	return 0
}

func hash(p prefix) uint64 { return p * 0x9E3779B97F4A7C15 >> (64 - 14) }

// Run masks all that people and programs wrote in a run, in place: messages and
// events. Logs are masked line by line before they are kept.
func (m *Masker) Run(r *Run) {
	if m == nil {
		return
	}
	r.Message = m.Text(r.Message)
	for i := range r.Events {
		r.Events[i].Message = m.Text(r.Events[i].Message)
	}
	for i := range r.Pods {
		pod := &r.Pods[i]
		pod.Message = m.Text(pod.Message)
		for k := range pod.Containers {
			pod.Containers[k].Message = m.Text(pod.Containers[k].Message)
		}
	}
}
