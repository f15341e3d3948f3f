package process

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// record is what the next owner needs to know a tree again. A pid alone is not
// enough: it is given out again.
type record struct {
	ID      string `json:"id"`
	Mark    string `json:"mark"` // the value of Marker; older records have the ID there
	PID     int    `json:"pid"`
	Started string `json:"started"` // the kernel's start time of PID, in its own unit
	Boot    string `json:"boot"`    // pids of another boot mean nothing
}

func writeRecord(path string, r record) error {
	b, err := json.Marshal(r)
	if err != nil {
		return err
	}
	err = os.WriteFile(path, b, 0o600)
	if errors.Is(err, os.ErrNotExist) {
		if err = os.MkdirAll(filepath.Dir(path), 0o700); err == nil {
			err = os.WriteFile(path, b, 0o600)
		}
	}
	return err
}

// Swept is a tree that a former owner left.
type Swept struct {
	ID string
	// Killed counts the processes that were still there and were ended.
	Killed int
}

// Sweep ends what a former owner, which was killed, left running, and forgets
// its records. Only processes that match a record's pid and start time, or
// carry its marker, are touched. It must not run while the owner runs.
func Sweep(dir string) ([]Swept, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("process: sweep: %w", err)
	}
	var out []Swept
	var errs []error
	boot := bootID()
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if !strings.HasSuffix(e.Name(), ".json") {
			if strings.HasSuffix(e.Name(), ".tmp") {
				errs = append(errs, os.Remove(path))
			}
			continue
		}
		b, err := os.ReadFile(path)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if len(b) == 0 { // the owner was killed before it could write
			errs = append(errs, os.Remove(path))
			continue
		}
		var r record
		if err := json.Unmarshal(b, &r); err != nil {
			errs = append(errs, fmt.Errorf("process: sweep: %s: %w", path, err))
			continue
		}
		if r.Mark == "" {
			r.Mark = r.ID
		}
		s := Swept{ID: r.ID}
		if r.Boot == boot {
			s.Killed = sweep(r)
		}
		out = append(out, s)
		errs = append(errs, os.Remove(path))
	}
	return out, errors.Join(errs...)
}
