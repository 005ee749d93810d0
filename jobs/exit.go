package jobs

import (
	"context"
	"errors"

	"crosslift/warehouse/lake"
	"crosslift/warehouse/postgres"
)

// The exit codes of the command, which are also the classes of failure in the ledger.
const (
	ExitDone     = 0
	ExitFailed   = 1
	ExitUsage    = 2  // usage or configuration
	ExitPartial  = 3  // several jobs failed, each in its own way
	ExitHeld     = 11 // another run owns the job
	ExitBlocked  = 12 // an audit blocked the publication
	ExitConflict = 13 // somebody else wrote meanwhile
	ExitSource   = 14 // a source or the store is down or out of quota
	ExitContract = 15 // a source broke its contract
	ExitInt      = 130
)

// exitError gives an error its exit code.
type exitError struct {
	error
	code int
}

func (e *exitError) Unwrap() error { return e.error }
func (e *exitError) ExitCode() int { return e.code }

// Exit marks an error with the exit code that it should end the command with.
func Exit(code int, err error) error {
	if err == nil {
		return nil
	}
	return &exitError{err, code}
}

// ExitCode is the exit code for an error: the one it was marked with, or that of its kind.
func ExitCode(err error) int {
	var marked interface{ ExitCode() int }
	var conflict *lake.ConflictError
	switch {
	case err == nil:
		return ExitDone
	case errors.As(err, &marked):
		return marked.ExitCode()
	case errors.Is(err, postgres.ErrHeld):
		return ExitHeld
	case errors.Is(err, postgres.ErrUnavailable):
		return ExitUsage
	case errors.Is(err, context.Canceled):
		return ExitInt
	case errors.As(err, &conflict), errors.Is(err, lake.ErrChanged), errors.Is(err, postgres.ErrConflict), errors.Is(err, postgres.ErrLost):
		return ExitConflict
	case lake.Unreachable(err):
		return ExitSource
	}
	return ExitFailed
}

// Combine is the exit code of a run of several jobs: the class of its failures if all share one, else ExitPartial.
func Combine(codes ...int) int {
	combined := ExitDone
	for _, code := range codes {
		switch {
		case code == ExitDone || code == combined:
		case combined == ExitDone:
			combined = code
		default:
			combined = ExitPartial
		}
	}
	return combined
}
