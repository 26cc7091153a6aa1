//go:build linux

package postgrestest

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	_ "github.com/lib/pq" // the driver "postgres"
)

// Password is that of the user "postgres". It needs escaping in a URL and
// quoting in a pair, as passwords do.
const Password = "it's a/se#cret? %41"

// patience is how long the server may take for anything.
const patience = 2 * time.Minute

// Server is a running Postgres.
type Server struct {
	programs, data string
	as             *syscall.Credential
	port           int

	mu      sync.Mutex
	running *exec.Cmd
	ended   chan struct{}
	log     bytes.Buffer
}

// Find gives the folder of Postgres's programs; "" where it is not installed.
func Find() string {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb") // the pattern is good
	slices.Sort(found)
	if len(found) > 0 {
		return filepath.Dir(found[len(found)-1])
	}
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path)
	}
	return ""
}

// Start starts a server that is gone at the end of the test. Where Postgres is
// not installed the test is skipped, unless $PINTLE_POSTGRES is "required".
func Start(t testing.TB) *Server {
	t.Helper()
	programs := Find()
	if programs == "" {
		if os.Getenv("PINTLE_POSTGRES") == "required" {
			t.Fatal("Postgres is not installed; run make packages")
		}
		t.Skip("Postgres is not installed (Debian: postgresql); skipping what needs one")
	}
	s, err := start(programs)
	if err != nil {
		t.Fatalf("starting Postgres: %v", err)
	}
	t.Cleanup(func() { s.remove(t) })
	return s
}

func start(programs string) (*Server, error) {
	// Not the test's own folder: that is closed to other users.
	dir, err := os.MkdirTemp("", "pintle-postgres-")
	if err != nil {
		return nil, err
	}
	s := &Server{programs: programs, data: dir}
	if err := s.initialise(); err != nil {
		_ = os.RemoveAll(dir) // the first error counts
		return nil, err
	}
	if err := s.start(); err != nil {
		_ = os.RemoveAll(dir) // the first error counts
		return nil, err
	}
	return s, nil
}

func (s *Server) initialise() error {
	secret := filepath.Join(s.data, "password")
	if err := os.WriteFile(secret, []byte(Password+"\n"), 0o600); err != nil {
		return err
	}
	if err := s.giveAway(s.data, secret); err != nil {
		return err
	}
	cmd := s.command("initdb", "--pgdata", s.cluster(), "--username", "postgres", "--pwfile", secret,
		"--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C", "--no-sync")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	var err error
	s.port, err = freePort()
	return err
}

// giveAway makes files those of the user that Postgres runs as: it refuses to run as root.
func (s *Server) giveAway(paths ...string) error {
	if os.Getuid() != 0 {
		return nil
	}
	account, err := user.Lookup("postgres")
	if err != nil {
		if account, err = user.Lookup("nobody"); err != nil {
			return err
		}
	}
	uid, _ := strconv.Atoi(account.Uid) // they are numbers on Linux
	gid, _ := strconv.Atoi(account.Gid)
	s.as = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid), NoSetGroups: true} //nolint:gosec // an ID has 32 bits
	for _, path := range paths {
		if err := os.Chown(path, uid, gid); err != nil {
			return err
		}
	}
	return nil
}

func (s *Server) cluster() string { return filepath.Join(s.data, "cluster") }

func (s *Server) command(program string, args ...string) *exec.Cmd {
	// Not the test's context: the server is stopped after it has ended.
	cmd := exec.CommandContext(context.Background(), filepath.Join(s.programs, program), args...)
	cmd.Dir = s.data
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C"}
	// However the test ends, the server ends with it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.as, Pdeathsig: syscall.SIGINT}
	return cmd
}

// start runs the server and waits until it answers.
func (s *Server) start() error {
	cmd := s.command("postgres", "-D", s.cluster(), "-p", strconv.Itoa(s.port), "-c", "listen_addresses=127.0.0.1",
		"-c", "unix_socket_directories="+s.data, "-c", "fsync=off", "-c", "max_connections=60")
	cmd.Stdout, cmd.Stderr = &s.log, &s.log
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // its log says why
		close(ended)
	}()
	s.mu.Lock()
	s.running, s.ended = cmd, ended
	s.mu.Unlock()
	if err := s.answers(ended); err != nil {
		s.Stop()
		return fmt.Errorf("%w\n%s", err, &s.log)
	}
	return nil
}

func (s *Server) answers(ended <-chan struct{}) error {
	db, err := sql.Open("postgres", s.URL("postgres"))
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }() // nothing is written
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		if err = db.PingContext(ctx); err == nil {
			return nil
		}
		select {
		case <-ended:
			return fmt.Errorf("it has ended: %w", err)
		case <-ctx.Done():
			return err
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Stop ends the server; Restart starts it again.
func (s *Server) Stop() {
	s.mu.Lock()
	cmd, ended := s.running, s.ended
	s.running = nil
	s.mu.Unlock()
	if cmd == nil {
		return
	}
	_ = cmd.Process.Signal(syscall.SIGINT) // a fast shutdown
	select {
	case <-ended:
	case <-time.After(patience):
		_ = cmd.Process.Kill() // it does not listen
		<-ended
	}
}

// Restart stops the server, if it runs, and starts it.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	s.Stop()
	if err := s.start(); err != nil {
		t.Fatalf("starting Postgres again: %v", err)
	}
}

func (s *Server) remove(t testing.TB) {
	s.Stop()
	if err := os.RemoveAll(s.data); err != nil {
		t.Logf("removing the data of Postgres: %v", err)
	}
}

// URL is a connection string for a database.
func (s *Server) URL(database string) string {
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword("postgres", Password),
		Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)), Path: database, RawQuery: "sslmode=disable",
	}
	return u.String()
}

// Port is where it listens on loopback.
func (s *Server) Port() int { return s.port }

// Folder is where its socket is.
func (s *Server) Folder() string { return s.data }

// Create makes an empty database and gives its connection string.
func (s *Server) Create(t testing.TB, database string) string {
	t.Helper()
	s.Exec(t, "postgres", `CREATE DATABASE "`+database+`"`)
	return s.URL(database)
}

// Exec runs statements in a database.
func (s *Server) Exec(t testing.TB, database, statements string) {
	t.Helper()
	db, err := sql.Open("postgres", s.URL(database))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }() // Exec tells what matters
	if _, err := db.ExecContext(t.Context(), statements); err != nil {
		t.Fatalf("%s: %v", statements, err)
	}
}

// Dump is what pg_dump writes of a database.
func (s *Server) Dump(t testing.TB, database string, args ...string) string {
	t.Helper()
	cmd := s.command("pg_dump", append(args, s.URL(database))...)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("pg_dump: %v", err)
	}
	return string(out)
}

func freePort() (int, error) {
	var config net.ListenConfig
	l, err := config.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer func() { _ = l.Close() }() // it was only asked
	return l.Addr().(*net.TCPAddr).Port, nil
}
