package serving

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
)

// logFile is a deployment's log: the server's own output and lines of ours.
type logFile struct {
	mu    sync.Mutex
	f     *os.File
	clock func() time.Time
}

func openLog(path string, clock func() time.Time) (*logFile, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	return &logFile{f: f, clock: clock}, nil
}

// line writes a line of the local workspace's own.
func (l *logFile) line(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintf(l.f, l.clock().UTC().Format("2006-01-02T15:04:05.000Z")+" [local workspace] "+format+"\n", args...) //nolint:errcheck // a log that cannot be written has nobody to tell
}

// maxTail bounds what tail reads, in bytes.
const maxTail = 4 << 20

// tail is the last n lines; n below one is all of the last maxTail bytes.
func (l *logFile) tail(n int) (string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	info, err := l.f.Stat()
	if err != nil {
		return "", err
	}
	start := max(info.Size()-maxTail, 0)
	b, err := io.ReadAll(io.NewSectionReader(l.f, start, info.Size()-start))
	if err != nil {
		return "", err
	}
	lines := strings.SplitAfter(string(b), "\n")
	if lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	if n > 0 && len(lines) > n {
		lines = lines[len(lines)-n:]
	}
	return strings.Join(lines, ""), nil
}

func (l *logFile) close() error { return l.f.Close() }
