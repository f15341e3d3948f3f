package arm

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"
)

// Error is a refusal in the words of the resource manager.
type Error struct {
	Status     int           `json:"-"`
	Code       string        `json:"code"`
	Message    string        `json:"message"`
	Target     string        `json:"target,omitempty"`
	Details    []*Error      `json:"details,omitempty"`
	RetryAfter time.Duration `json:"-"` // > 0 writes Retry-After and retry-after-ms
}

func (e *Error) Error() string {
	s := e.Code + ": " + e.Message
	if e.Target != "" {
		s += " (" + e.Target + ")"
	}
	return s
}

// NotFound is 404: kind in words ("job", "data version"), name as asked.
func NotFound(kind, name string) *Error {
	return &Error{Status: http.StatusNotFound, Code: "ResourceNotFound", Message: fmt.Sprintf("The %s %q was not found.", kind, name)}
}

// Invalid is 400: target is the path of the field in the body ("properties.command").
func Invalid(target, format string, args ...any) *Error {
	return &Error{Status: http.StatusBadRequest, Code: "ValidationError", Target: target, Message: fmt.Sprintf(format, args...)}
}

// BadRequest is 400 with a code of its own.
func BadRequest(code, format string, args ...any) *Error {
	return &Error{Status: http.StatusBadRequest, Code: code, Message: fmt.Sprintf(format, args...)}
}

// Conflict is 409.
func Conflict(code, format string, args ...any) *Error {
	return &Error{Status: http.StatusConflict, Code: code, Message: fmt.Sprintf(format, args...)}
}

// Forbidden is 403.
func Forbidden(format string, args ...any) *Error {
	return &Error{Status: http.StatusForbidden, Code: "AuthorizationFailed", Message: fmt.Sprintf(format, args...)}
}

// Unauthorized is 401.
func Unauthorized(code, format string, args ...any) *Error {
	return &Error{Status: http.StatusUnauthorized, Code: code, Message: fmt.Sprintf(format, args...)}
}

// As makes an *Error of any error: one that it wraps, else 500 InternalServerError.
func As(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return &Error{Status: http.StatusInternalServerError, Code: "InternalServerError", Message: err.Error()}
}

// Body is the answer's document, {"error":{…}}.
func (e *Error) Body() map[string]any { return map[string]any{"error": e} }

// Headers sets what goes beside the body.
func (e *Error) Headers(h http.Header) {
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("x-ms-error-code", e.Code)
	if e.Status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Bearer authorization_uri="https://login.microsoftonline.com/`+Tenant+`", error="invalid_token"`)
	}
	if e.RetryAfter > 0 {
		SetRetryAfter(h, e.RetryAfter)
	}
}

// Write answers with the error.
func (e *Error) Write(w http.ResponseWriter) {
	b, err := json.Marshal(e.Body())
	if err != nil { // strings alone do not fail
		b = []byte(`{"error":{"code":"InternalServerError"}}`)
	}
	e.Headers(w.Header())
	w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	status := e.Status
	if status == 0 {
		status = http.StatusInternalServerError
	}
	w.WriteHeader(status)
	_, _ = w.Write(b) // the caller has gone: nobody is left to tell
}

// SetRetryAfter writes a wait in milliseconds and, when it is a second or more, in whole seconds too: azcore reads the former first, azure-core of Python the latter.
func SetRetryAfter(h http.Header, d time.Duration) {
	if d >= time.Second {
		h.Set("Retry-After", strconv.Itoa(int(math.Ceil(d.Seconds()))))
	}
	h.Set("retry-after-ms", strconv.FormatInt(max(d.Milliseconds(), 1), 10))
}
