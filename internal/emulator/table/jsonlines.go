package table

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// jsonLines are the arguments of read_json_lines.
type jsonLines struct {
	encoding string
	drop     bool // lines that are no objects
}

// read yields the rows of one file.
func (j *jsonLines) read(in io.Reader, yield func(*Row) bool) error {
	r, err := decoded(in, j.encoding)
	if err != nil {
		return err
	}
	var columns []string
	for n := 1; ; n++ {
		s, took, err := line(r)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
		if strings.TrimSpace(s) == "" {
			continue
		}
		row, err := object(s)
		if err != nil {
			if j.drop {
				continue
			}
			return fmt.Errorf("line %d: %w", n, err)
		}
		if slices.Equal(columns, row.Columns) {
			row.Columns = columns
		} else {
			columns = row.Columns
		}
		row.Bytes = int64(took)
		if !yield(row) {
			return nil
		}
	}
}

// object reads an object of JSON with its keys in their order.
func object(s string) (*Row, error) {
	d := json.NewDecoder(bufio.NewReader(strings.NewReader(s)))
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	if t != json.Delim('{') {
		return nil, fmt.Errorf("want an object of JSON, got %v", t)
	}
	row := &Row{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, err
		}
		key, _ := t.(string) // the decoder accepts nothing else here
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return nil, err
		}
		c := Cell{Value: scalar(raw), raw: string(raw), from: fromJSON}
		if i := slices.Index(row.Columns, key); i >= 0 {
			row.Cells[i] = c
			continue
		}
		row.Columns, row.Cells = append(row.Columns, key), append(row.Cells, c)
	}
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is more than one value")
	}
	return row, nil
}

// scalar is the value of one member.
func scalar(raw json.RawMessage) any {
	switch s := string(raw); {
	case s == "null":
		return nil
	case s == "true":
		return true
	case s == "false":
		return false
	case s[0] == '"':
		var text string
		if json.Unmarshal(raw, &text) == nil && utf8.ValidString(text) {
			return text
		}
	case s[0] != '{' && s[0] != '[':
		if !strings.ContainsAny(s, ".eE") {
			if n, ok := parseInt(s); ok {
				return n
			}
		}
		if f, ok := parseFloat(s); ok {
			return f
		}
	}
	return raw
}

// JSON is the row as an object; values are written as their file had them.
func (r *Row) JSON() ([]byte, error) {
	var b bytes.Buffer
	for i, k := range r.Columns {
		b.WriteByte(",{"[btoi(i == 0)])
		name, err := json.Marshal(k)
		if err != nil {
			return nil, err
		}
		b.Write(name)
		b.WriteByte(':')
		c := r.Cells[i]
		if c.from == fromJSON {
			b.WriteString(c.raw)
			continue
		}
		v := c.Value
		switch x := v.(type) {
		case float64:
			if s := formatFloat(x); s == "NaN" || strings.HasSuffix(s, "inf") {
				v = nil // JSON has no such number
			}
		case Decimal:
			v = json.Number(x)
		}
		out, err := json.Marshal(v)
		if err != nil {
			return nil, err
		}
		b.Write(out)
	}
	if len(r.Columns) == 0 {
		b.WriteByte('{')
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}
