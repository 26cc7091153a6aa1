package e2e

import (
	"encoding/base64"
	"math/rand"
	"os"
	"path/filepath"
	"strconv"

	"github.com/rogpeppe/go-internal/testscript"
)

// noise writes a file of about so many KiB of text that cannot be packed, with
// a text before each line:
//
//	noise FILE KIB [PREFIX]
func noise(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: noise FILE KIB [PREFIX]")
	}
	kib, err := strconv.Atoi(args[1])
	ts.Check(err)
	prefix := ""
	if len(args) > 2 {
		prefix = args[2]
	}
	random := rand.New(rand.NewSource(int64(kib))) //nolint:gosec // the same each time
	var text []byte
	line := make([]byte, 96)
	for len(text) < kib<<10 {
		random.Read(line)
		text = append(text, prefix...)
		text = append(text, base64.StdEncoding.EncodeToString(line)...)
		text = append(text, '\n')
	}
	path := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(filepath.Dir(path), 0o700))
	ts.Check(os.WriteFile(path, text, 0o600))
}
