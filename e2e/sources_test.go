package e2e

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/pintle-dev/pintle/internal/chart/source/sourcetest"
	"github.com/rogpeppe/go-internal/testscript"
)

// scriptTB lets a story use what is made for tests in Go.
type scriptTB struct{ *testscript.TestScript }

// Helper has no meaning in a story.
func (scriptTB) Helper() {}

// Cleanup is done when the story ends.
func (s scriptTB) Cleanup(f func()) { s.Defer(f) }

// TempDir is a folder of the story.
func (s scriptTB) TempDir() string {
	dir, err := os.MkdirTemp(s.MkAbs("."), ".server-")
	s.Check(err)
	return dir
}

// charthost serves, until the story ends, a chart repository or a registry on
// this machine. $NAME_URL and $NAME_HOST are where it is, $NAME_CA is the file
// of the authority to trust. A registry with tokens wants the login at another
// server, $NAME_TOKENS; one with clients wants a certificate, such as $NAME_CERT
// with the key $NAME_KEY:
//
//	charthost repository NAME FOLDER [tls] [clients] [USER:PASSWORD]
//	charthost registry NAME [tls] [clients] [tokens] [USER:PASSWORD]
func charthost(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 || args[0] == "repository" && len(args) < 3 {
		ts.Fatalf("usage: charthost repository NAME FOLDER [tls] [clients] [USER:PASSWORD], or charthost registry NAME [tls] [clients] [tokens] [USER:PASSWORD]")
	}
	kind, name, rest := args[0], args[1], args[2:]
	folder := ""
	if kind == "repository" {
		folder, rest = ts.MkAbs(rest[0]), rest[1:]
	}
	var o sourcetest.Options
	for _, word := range rest {
		switch word {
		case "tls":
			o.TLS = true
		case "clients":
			o.Clients = true
		case "tokens":
			o.Tokens = true
		default:
			o.User, o.Password, _ = strings.Cut(word, ":")
		}
	}
	var server *sourcetest.Server
	switch kind {
	case "repository":
		server = sourcetest.Repository(scriptTB{ts}, folder, o)
	case "registry":
		server = sourcetest.Registry(scriptTB{ts}, o)
	default:
		ts.Fatalf("a charthost is a repository or a registry, not a %q", kind)
	}
	ts.Setenv(name+"_URL", server.URL)
	ts.Setenv(name+"_HOST", server.Host)
	ts.Setenv(name+"_CA", server.CAFile)
	ts.Setenv(name+"_CERT", server.CertFile)
	ts.Setenv(name+"_KEY", server.KeyFile)
	if server.Tokens != nil {
		ts.Setenv(name+"_TOKENS", server.Tokens.Host)
	}
}

// pgpkey makes a key and writes it into a folder, as secret.gpg and public.gpg:
//
//	pgpkey NAME FOLDER [PASSPHRASE]
func pgpkey(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 || len(args) > 3 {
		ts.Fatalf("usage: pgpkey NAME FOLDER [PASSPHRASE]")
	}
	sourcetest.Keys(scriptTB{ts}, ts.MkAbs(args[1]), args[0], strings.Join(args[2:], ""))
}

// otherclient writes a certificate of a client, $OTHER_CERT, and its key,
// $OTHER_KEY, that no server here knows:
//
//	otherclient FOLDER
func otherclient(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: otherclient FOLDER")
	}
	certificate, key, _ := sourcetest.Client(scriptTB{ts}, ts.MkAbs(filepath.Clean(args[0])))
	ts.Setenv("OTHER_CERT", certificate)
	ts.Setenv("OTHER_KEY", key)
}

// otherca writes a certificate authority that has signed nothing into a file:
//
//	otherca FOLDER
func otherca(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: otherca FOLDER")
	}
	ts.Setenv("OTHER_CA", sourcetest.OtherCA(scriptTB{ts}, ts.MkAbs(filepath.Clean(args[0]))))
}
