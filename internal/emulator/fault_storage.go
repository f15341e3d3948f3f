package emulator

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/azureml-go/azureml/internal/emulator/blob"
)

// storage carries a fault of the storage services out where they word it in their own way. It reports whether it did.
func (f *fault) storage(w http.ResponseWriter, r *http.Request, next http.Handler) bool {
	switch f.kind {
	case "":
		e := &blob.Error{Status: f.status, Code: "InternalError", Message: "A fault was asked for."}
		if f.retryAfter > 0 {
			e.RetryAfter = f.retryAfter
		}
		switch f.status {
		case http.StatusTooManyRequests:
			e.Code = "TooManyRequests"
		case http.StatusServiceUnavailable:
			e.Code, e.Message = "ServerBusy", "The server is currently unable to receive requests. Please retry your request."
		}
		e.Write(w, r)
	case "expired-sas":
		blob.ExpiredSAS().Write(w, r)
	case "disk-full":
		next.ServeHTTP(w, r.WithContext(blob.WithoutSpace(r.Context())))
	default:
		return false
	}
	return true
}

// cutRequest lets a part of the request's body arrive before the connection breaks.
func (f *fault) cutRequest(r *http.Request, next http.Handler) {
	n := int64(f.bytes)
	if n < 0 {
		n = max(r.ContentLength, 0) / 2
	}
	c := *r
	c.Body = io.NopCloser(io.MultiReader(io.LimitReader(r.Body, n), brokenReader{}))
	next.ServeHTTP(&lostWriter{header: http.Header{}}, &c)
	panic(http.ErrAbortHandler)
}

// brokenReader is the end of a connection.
type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// pause waits as latency asks; false when the caller went away.
func (f *fault) pause(ctx context.Context) bool {
	t := time.NewTimer(f.wait)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
