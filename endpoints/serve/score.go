package serve

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// inputError is the caller's fault.
type inputError struct{ err error }

func (e *inputError) Error() string { return e.err.Error() }
func (e *inputError) Unwrap() error { return e.err }

// BadInput makes an error that is the caller's fault: JSON answers it with 400
// and its text. Any other error is answered with 500 and is logged.
func BadInput(format string, args ...any) error { return &inputError{fmt.Errorf(format, args...)} }

// JSON is a handler that decodes the body into In, calls score, and encodes
// what it returns. A body that is not In's JSON, or holds fields that In does
// not have, is answered with 400. A context that ends is answered with 503.
func JSON[In, Out any](score func(ctx context.Context, in In) (Out, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		in, status, err := decode[In](r.Body)
		if err != nil {
			writeError(w, status, err.Error())
			return
		}
		out, err := score(r.Context(), in)
		if err != nil {
			fail(w, r, err)
			return
		}
		b, err := json.Marshal(out)
		if err != nil {
			fail(w, r, fmt.Errorf("encode the answer: %w", err))
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Write(b) //nolint:errcheck // the caller has gone
	})
}

func decode[In any](body io.Reader) (in In, status int, err error) {
	b, err := io.ReadAll(body)
	if large, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return in, http.StatusRequestEntityTooLarge, fmt.Errorf("the request is larger than %d bytes", large.Limit)
	}
	if err != nil {
		return in, http.StatusBadRequest, fmt.Errorf("the request could not be read: %w", err)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&in); err != nil {
		return in, http.StatusBadRequest, fmt.Errorf("the request is not what the model takes: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return in, http.StatusBadRequest, errors.New("the request goes on behind its JSON value")
	}
	return in, 0, nil
}

func fail(w http.ResponseWriter, r *http.Request, err error) {
	if input, ok := errors.AsType[*inputError](err); ok {
		writeError(w, http.StatusBadRequest, input.Error())
		return
	}
	log := logger(r.Context())
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		log.Warn("scoring was cut off", "error", err)
		writeError(w, http.StatusServiceUnavailable, "scoring took too long")
		return
	}
	log.Error("scoring failed", "error", err)
	writeError(w, http.StatusInternalServerError, "scoring failed")
}

func writeError(w http.ResponseWriter, status int, message string) {
	b, err := json.Marshal(map[string]string{"message": message})
	if err != nil { // a string does not fail
		b = []byte(`{"message":""}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(append(b, '\n')) //nolint:errcheck // the caller has gone
}

func writeText(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	io.WriteString(w, text+"\n") //nolint:errcheck // the caller has gone
}
