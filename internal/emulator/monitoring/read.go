package monitoring

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/azureml-go/azureml/internal/emulator/table"
)

// File is one of the files that make a table.
type File struct {
	// Path is where it lies; Shown is how it is called in messages, and where it lay.
	Path, Shown string
}

var formats = map[string]string{".csv": "csv", ".tsv": "csv", ".jsonl": "json", ".json": "json", ".ndjson": "json", ".parquet": "parquet"}

func (f *File) format() (string, error) {
	if k := formats[strings.ToLower(path.Ext(f.Shown))]; k != "" {
		return k, nil
	}
	return "", fmt.Errorf("%s: is neither csv, JSON lines nor parquet by its name; the local workspace reads %s", f.Shown, strings.Join(slices.Sorted(maps.Keys(formats)), ", "))
}

// Read reads files as one table.
func Read(ctx context.Context, files []File) (*Table, error) {
	b, collected := &builder{}, false
	for i := range files {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		kind, err := files[i].format()
		if err != nil {
			return nil, err
		}
		switch kind {
		case "csv":
			err = b.delimited(ctx, &files[i])
		case "json":
			var envelope bool
			envelope, err = b.lines(ctx, &files[i])
			collected = collected || envelope
		case "parquet":
			err = b.parquet(ctx, &files[i])
		default:
			err = fmt.Errorf("the local workspace reads no %s", kind)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", files[i].Shown, err)
		}
	}
	t := b.table()
	t.Collected = collected
	return t, nil
}

func (b *builder) parquet(ctx context.Context, f *File) error {
	d, err := table.Of(".parquet")
	if err != nil {
		return err
	}
	return b.read(ctx, d, []table.File{{Path: f.Path, Name: f.Shown}})
}

// looks is after how many rows it is seen whether anybody waits still.
const looks = 10_000

func (b *builder) checked(ctx context.Context) error {
	if b.rows%looks == 0 {
		return ctx.Err()
	}
	return nil
}

var byteOrderMark = []byte("\xef\xbb\xbf")

func (b *builder) delimited(ctx context.Context, f *File) error {
	file, err := os.Open(f.Path)
	if err != nil {
		return err
	}
	defer file.Close()
	in := bufio.NewReader(file)
	if mark, err := in.Peek(3); err == nil && bytes.Equal(mark, byteOrderMark) {
		_, _ = in.Discard(3) // they were just read
	}
	r := csv.NewReader(in)
	r.LazyQuotes, r.FieldsPerRecord, r.ReuseRecord = true, -1, true
	if strings.HasSuffix(strings.ToLower(f.Shown), ".tsv") {
		r.Comma = '\t'
	}
	var header []string
	for n := 1; ; n++ {
		values, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if header == nil {
			header = slices.Clone(values)
			for _, h := range header {
				b.column(h)
			}
			continue
		}
		if len(values) != len(header) {
			return fmt.Errorf("line %d has %d values, the header %d", n, len(values), len(header))
		}
		for i, v := range values {
			if v == "" { // csv has no other null
				b.set(header[i], cell{})
			} else {
				b.set(header[i], cell{kind: textual, text: v})
			}
		}
		b.next()
		if err := b.checked(ctx); err != nil {
			return err
		}
	}
}

func (b *builder) lines(ctx context.Context, f *File) (collected bool, err error) {
	file, err := os.Open(f.Path)
	if err != nil {
		return false, err
	}
	defer file.Close()
	in := bufio.NewReader(file)
	for n := 1; ; n++ {
		line, err := in.ReadBytes('\n')
		ended := errors.Is(err, io.EOF)
		if err != nil && !ended {
			return false, err
		}
		if line = bytes.TrimSpace(bytes.TrimPrefix(line, byteOrderMark)); len(line) > 0 {
			of, err := b.line(line)
			if err != nil {
				return false, fmt.Errorf("line %d: %w", n, err)
			}
			collected = collected || of
			if err := b.checked(ctx); err != nil {
				return false, err
			}
		}
		if ended {
			return collected, nil
		}
	}
}

func (b *builder) line(line []byte) (collected bool, err error) {
	if line[0] == '[' {
		return false, errors.New("JSON lines are wanted, an object on each line; this is a list")
	}
	var row map[string]json.RawMessage
	if err := json.Unmarshal(line, &row); err != nil {
		return false, err
	}
	if e := envelopeOf(row); e != nil {
		return true, b.collected(e)
	}
	return false, b.object(line, nil)
}

// object adds a row of JSON, with its columns in the order of its text.
func (b *builder) object(text json.RawMessage, more map[string]string) error {
	d := json.NewDecoder(bytes.NewReader(text))
	if t, err := d.Token(); err != nil {
		return err
	} else if t != json.Delim('{') {
		return fmt.Errorf("an object is wanted, got %s", text)
	}
	for d.More() {
		k, err := d.Token()
		if err != nil {
			return err
		}
		name, ok := k.(string)
		if !ok {
			return fmt.Errorf("%v is no name of a column", k)
		}
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return err
		}
		v, ok, err := jsonCell(raw)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if ok {
			b.set(name, v)
		} else {
			b.leave(name)
		}
	}
	for k, v := range more {
		b.set(k, cell{kind: String, text: v})
	}
	b.next()
	return nil
}
