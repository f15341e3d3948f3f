package serve

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// The headers that Azure's own inference server answers with, so that a request
// can be found in the logs of both sides.
const (
	requestID       = "X-Request-Id"
	clientRequestID = "X-Ms-Client-Request-Id"
	legacyRequestID = "X-Ms-Request-Id"
	runFailed       = "X-Ms-Run-Function-Failed"
	runMilliseconds = "X-Ms-Run-Fn-Exec-Ms"
	maxRequestID    = 100
)

// identify gives the request its ids, or refuses one that is too long.
func identify(w http.ResponseWriter, r *http.Request) bool {
	id, client, legacy := r.Header.Get(requestID), r.Header.Get(clientRequestID), r.Header.Get(legacyRequestID)
	if max(len(id), len(client), len(legacy)) > maxRequestID {
		writeError(w, http.StatusRequestHeaderFieldsTooLarge, fmt.Sprintf("a request id must not exceed %d characters", maxRequestID))
		return false
	}
	if id == "" {
		var b [16]byte
		rand.Read(b[:]) // never fails: crypto/rand ends the program instead
		id = hex.EncodeToString(b[:])
	}
	if client == "" {
		client = legacy
	}
	if legacy == "" {
		if legacy = client; legacy == "" {
			legacy = id
		}
	}
	h := w.Header()
	h.Set(requestID, id)
	h.Set(legacyRequestID, legacy)
	if client != "" {
		h.Set(clientRequestID, client)
	}
	return true
}

// scored sees what a handler answers.
type scored struct {
	http.ResponseWriter
	start  time.Time
	status int
	bytes  int64
}

func (w *scored) WriteHeader(status int) {
	if w.status == 0 && status >= 200 {
		w.status = status
		h := w.Header()
		h.Set(runMilliseconds, strconv.FormatFloat(float64(time.Since(w.start))/1e6, 'f', 3, 64))
		if status >= 500 {
			h.Set(runFailed, "True")
		}
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *scored) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	n, err := w.ResponseWriter.Write(b)
	w.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (w *scored) Unwrap() http.ResponseWriter { return w.ResponseWriter }
