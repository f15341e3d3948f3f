package azureml

import (
	"errors"
	"net/http"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/azureml-go/azureml/internal/wire"
)

// What a call can fail with, for errors.Is. The *azcore.ResponseError with all details is there for errors.As.
var (
	// ErrInvalid is a request that the service does not accept (400, 422).
	ErrInvalid = errors.New("invalid request")
	// ErrUnauthorized is a missing or expired credential (401).
	ErrUnauthorized = errors.New("unauthorized")
	// ErrForbidden is a credential that may not do this (403).
	ErrForbidden = errors.New("forbidden")
	// ErrNotFound is a resource that does not exist (404), or no longer (410).
	ErrNotFound = errors.New("not found")
	// ErrConflict is a state of the resource that does not allow the call (409), or that changed meanwhile (412).
	ErrConflict = errors.New("conflict")
	// ErrPrecondition is the ErrConflict of an If-Match or If-None-Match that did not hold (412).
	ErrPrecondition error = kindOf{"precondition failed", ErrConflict}
	// ErrThrottled is too many requests (429).
	ErrThrottled = errors.New("too many requests")
	// ErrUnavailable is a fault of the service (500 and above).
	ErrUnavailable = errors.New("service unavailable")
)

// kindOf is a sentinel that is also another one.
type kindOf struct {
	text string
	is   error
}

func (e kindOf) Error() string { return e.text }
func (e kindOf) Unwrap() error { return e.is }

// StatusError is the sentinel that an HTTP status belongs to, nil for one that is no failure or of no known kind.
func StatusError(status int) error {
	switch {
	case status == http.StatusBadRequest, status == http.StatusUnprocessableEntity:
		return ErrInvalid
	case status == http.StatusUnauthorized:
		return ErrUnauthorized
	case status == http.StatusForbidden:
		return ErrForbidden
	case status == http.StatusNotFound, status == http.StatusGone:
		return ErrNotFound
	case status == http.StatusConflict:
		return ErrConflict
	case status == http.StatusPreconditionFailed:
		return ErrPrecondition
	case status == http.StatusTooManyRequests:
		return ErrThrottled
	case status >= 500:
		return ErrUnavailable
	}
	return nil
}

// HasCode tells whether the service answered with one of these error codes, such as "ResourceNotFound". Case does not
// matter.
func HasCode(err error, code ...string) bool {
	re, ok := errors.AsType[*azcore.ResponseError](err)
	if !ok {
		return false
	}
	for _, c := range code {
		if strings.EqualFold(c, re.ErrorCode) {
			return true
		}
	}
	return false
}

// A Fault is one thing wrong with an entity or its YAML: the place, the field, and what would be right.
type Fault = wire.Fault

// Faults are all faults of one file or entity. errors.As finds them, and each single *Fault.
type Faults = wire.Faults

// Raw is a part of a service's answer that this version has no words for, kept as it was.
type Raw = wire.Raw
