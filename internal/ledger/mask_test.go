package ledger

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
)

func TestMasker(t *testing.T) {
	encode := base64.StdEncoding.EncodeToString
	long := strings.Repeat("0123456789abcdef", 8)
	m := NewMasker("s3cret-pw", "short", "p@ss word/1", "line one of key\n  line two of key\n\nno\n", "s3cret-pw-2", `quo"ted\value`, long, "überraschung")
	for in, want := range map[string]string{
		"":                                    "",
		"nothing to see":                      "nothing to see",
		"password is s3cret-pw.":              "password is ***.",
		"s3cret-pw":                           "***",
		"s3cret-pws3cret-pw":                  "***",
		"s3cret-pw s3cret-pw-2 s3cret-pw":     "*** *** ***",
		"short words stay":                    "short words stay",
		"x " + encode([]byte("s3cret-pw")):    "x ***",
		"x " + encode([]byte("s3cret-pw\n")):  "x ***",
		"postgres://me:p%40ss%20word%2F1@db/": "postgres://me:***@db/",
		`{"p":"quo\"ted\\value"}`:             `{"p":"***"}`,
		"    line two of key":                 "    ***",
		"no line one of key":                  "no ***",
		"key: " + encode([]byte("line one of key\n  line two of key\n\nno\n")): "key: ***",
		"s3cret-p":                   "s3cret-p",
		"lange überraschung heute":   "lange *** heute",
		encode([]byte(long))[:64]:    "***",
		encode([]byte(long))[76:152]: "***",
	} {
		if got := m.Text(in); got != want {
			t.Errorf("%q became %q, not %q", in, got, want)
		}
	}
}

func TestMaskerCoversOverlappingValues(t *testing.T) {
	m := NewMasker("abcdefgh", "efghijkl", "cdefgh")
	if got := m.Text("--abcdefghijkl--"); got != "--***--" {
		t.Errorf("got %q", got)
	}
}

func TestMaskerGrowsWithoutChangingTheOld(t *testing.T) {
	var none *Masker
	if none.Text("s3cret-pw") != "s3cret-pw" || NewMasker() != nil || NewMasker("five!") != nil {
		t.Error("a masker of nothing must mask nothing")
	}
	one := NewMasker("s3cret-pw")
	two := one.With("another-one")
	if one.With("s3cret-pw", "tiny") != one {
		t.Error("nothing new must not make a new masker")
	}
	if got := one.Text("another-one"); got != "another-one" {
		t.Errorf("the old one masks %q", got)
	}
	if got := two.Text("s3cret-pw another-one"); got != "*** ***" {
		t.Errorf("the new one gives %q", got)
	}
}

func TestMaskerOfARun(t *testing.T) {
	r := sample("migrate", 1)
	r.Message, r.Events[0].Message, r.Pods[0].Message, r.Pods[0].Containers[0].Message = "a hunter22", "b hunter22", "c hunter22", "d hunter22"
	NewMasker("hunter22").Run(&r)
	data, err := Encode([]Run{r})
	if err != nil {
		t.Fatal(err)
	}
	back, _ := Decode(data)
	if text := fmt.Sprint(back); strings.Contains(text, "hunter22") || strings.Count(text, Masked) != 4 {
		t.Errorf("it holds %s", text)
	}
}

// FuzzMasker makes sure that no value survives in any form that is promised.
func FuzzMasker(f *testing.F) {
	f.Add("before ", "s3cret-pw", " after", "other-value")
	f.Add("aa", "aaaaaaa", "aa", "aaaaaaaa")
	f.Fuzz(func(t *testing.T, before, value, after, other string) {
		if len(strings.TrimSpace(value)) < shortestSecret || strings.Contains(value, "\n") || strings.Contains(Masked, value) {
			t.Skip()
		}
		m := NewMasker(value, other)
		value = strings.TrimSpace(value)
		for _, form := range []string{value, base64.StdEncoding.EncodeToString([]byte(value))} {
			got := m.Text(before + form + after)
			// What is left beside the masks must not hold the value, unless mask and rest happen to spell it.
			for piece := range strings.SplitSeq(got, Masked) {
				if strings.Contains(piece, form) {
					t.Errorf("%q is left in %q", form, got)
				}
			}
		}
	})
}

// BenchmarkMasker compares with strings.Replacer, which does the same but for
// values that overlap.
func BenchmarkMasker(b *testing.B) {
	var values []string
	for i := range 20 {
		values = append(values, noise(16+i))
	}
	line := strings.Repeat("2026-03-01 12:00:00 INFO applying migration 0042_orders.sql to schema public ", 2)
	secret := line + values[7]
	m := NewMasker(values...)
	var pairs []string
	for v := range m.values {
		for _, form := range forms(v) {
			pairs = append(pairs, form, Masked)
		}
	}
	r := strings.NewReplacer(pairs...)
	for name, mask := range map[string]func(string) string{"ours": m.Text, "replacer": r.Replace} {
		for kind, text := range map[string]string{"plain": line, "secret": secret} {
			b.Run(name+"/"+kind, func(b *testing.B) {
				b.SetBytes(int64(len(text)))
				b.ReportAllocs()
				for b.Loop() {
					mask(text)
				}
			})
		}
	}
}
