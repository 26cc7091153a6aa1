package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/lib/pq"
	"github.com/lib/pq/pqerror"
)

// Kind tells what is wrong with a database.
type Kind int

// What can be wrong.
const (
	// Refused is a database that answers and says no.
	Refused Kind = iota
	// Unreachable is one that does not answer.
	Unreachable
	// Unreadable is a connection string without a meaning.
	Unreadable
)

// Error is what a database, or the way to it, has against an operation. It
// never contains a password.
type Error struct {
	Kind   Kind
	Target Target
	// Unset tells that there is no connection string.
	Unset bool
	Err   error
}

// Error is a sentence, and in further lines what to do.
func (e *Error) Error() string {
	switch e.Kind {
	case Unreadable:
		return lines(
			"the connection string in $"+ConnectionVariable+", or a PG* variable beside it, cannot be read",
			"it must be postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=..., or pairs such as host=... user=... dbname=...",
			"in a URL, what is not a letter or a digit in the password must be percent-encoded; nothing of it is shown here, since it may hold the password",
		)
	case Unreachable:
		next := "next: check $" + ConnectionVariable + " and whether the database runs"
		if e.Unset {
			next = "$" + ConnectionVariable + " is not set, and no PG* variables lead to another database"
		}
		return lines(fmt.Sprintf("the release records cannot be reached: %s: %s", e.Target, e.cause()), next) + e.advice()
	}
	return fmt.Sprintf("the database of the release records says no: %s: %s", e.Target, e.cause()) + e.advice()
}

// cause is the cause's text, without the name of the library before it.
func (e *Error) cause() string {
	if e.Err == nil {
		return ""
	}
	return strings.TrimPrefix(e.Err.Error(), "pq: ")
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// advice is a further line for mistakes that many make.
func (e *Error) advice() string {
	switch {
	case e.Err == nil:
		return ""
	case errors.Is(e.Err, pq.ErrSSLNotSupported):
		return "\nnext: the database does not speak TLS; if that is as it should be, add sslmode=disable to the connection string"
	case pq.As(e.Err, pqerror.InvalidPassword, pqerror.InvalidAuthorizationSpecification) != nil:
		return "\nnext: check user and password in $" + ConnectionVariable
	case pq.As(e.Err, pqerror.InvalidCatalogName) != nil:
		return "\nnext: create the database first; its tables are made by the first release"
	case pq.As(e.Err, pqerror.InsufficientPrivilege) != nil:
		return "\nnext: grant the user the tables releases_v1, custom_labels_v1 and gorp_migrations, and for the first release CREATE on the schema"
	}
	return ""
}

// fault puts what went wrong into an *Error, unless it is a caller's own error
// or the end of its context.
func (d *Database) fault(err error) error {
	var own *Error
	switch {
	case err == nil, errors.As(err, &own), errors.Is(err, context.Canceled), isOurs(err):
		return err
	}
	kind := Unreachable
	if pq.As(err) != nil || errors.Is(err, pq.ErrSSLNotSupported) {
		kind = Refused
	}
	return &Error{Kind: kind, Target: d.target, Unset: d.unset, Err: err}
}

// lost tells errors after which it is not known whether a commit arrived.
func lost(err error) bool {
	var network net.Error
	return errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, net.ErrClosed) || strings.Contains(err.Error(), "bad connection")
}

func lines(text ...string) string { return strings.Join(text, "\n") }
