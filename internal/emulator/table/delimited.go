package table

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

// delimited are the arguments of read_delimited.
type delimited struct {
	delimiter   rune
	header      string // all_files_same_headers, from_first_file, all_files_different_headers, no_header
	encoding    string
	multiLine   bool
	emptyText   bool // an empty value is "", not null
	infer       bool
	sample      int
	types       map[string]columnType // overrides
	first       []string              // header of the first file
	firstSource string
}

// decoded reads text of an encoding as UTF-8, without a byte order mark.
func decoded(r io.Reader, encoding string) (*bufio.Reader, error) {
	switch encoding {
	case "", "utf8", "utf-8", "utf8 bom", "utf8bom", "ascii":
	case "iso88591", "iso-8859-1", "latin1", "latin-1":
		r = charmap.ISO8859_1.NewDecoder().Reader(r)
	case "windows1252", "windows-1252":
		r = charmap.Windows1252.NewDecoder().Reader(r)
	case "utf16", "utf-16":
		r = unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewDecoder().Reader(r)
	default:
		return nil, fmt.Errorf("encoding: %q is not one of utf8, iso88591, latin1, ascii, utf16, utf8bom, windows1252", encoding)
	}
	b := bufio.NewReaderSize(r, 64<<10)
	if mark, err := b.Peek(3); err == nil && string(mark) == "\xef\xbb\xbf" {
		_, _ = b.Discard(3) // they were just read
	}
	return b, nil
}

// line is the next line without its end; what it took is in bytes of UTF-8.
func line(r *bufio.Reader) (string, int, error) {
	s, err := r.ReadString('\n')
	if err != nil && (!errors.Is(err, io.EOF) || s == "") {
		return "", 0, err
	}
	n := len(s)
	s = strings.TrimSuffix(strings.TrimSuffix(s, "\n"), "\r")
	if !utf8.ValidString(s) {
		return "", 0, errors.New("the text is not of its encoding")
	}
	return s, n, nil
}

// record is the next row's values; blank lines are none.
func (d *delimited) record(r *bufio.Reader) ([]Cell, int64, error) {
	took := 0
	for {
		s, n, err := line(r)
		took += n
		if err != nil {
			return nil, 0, err
		}
		if strings.TrimSpace(s) == "" && d.delimiter != '\t' || s == "" {
			continue
		}
		cells, open := d.cut(s)
		for open && d.multiLine {
			more, n, err := line(r)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return nil, 0, err
			}
			took += n
			s += "\n" + more
			cells, open = d.cut(s)
		}
		return cells, int64(took), nil
	}
}

// cut separates a line's values. open says that a quoted one does not end; it is
// then taken as it stands.
func (d *delimited) cut(s string) (cells []Cell, open bool) {
	for {
		if !strings.HasPrefix(s, `"`) {
			i := strings.IndexRune(s, d.delimiter)
			if i < 0 {
				return append(cells, d.cell(s, false)), false
			}
			cells = append(cells, d.cell(s[:i], false))
			s = s[i+utf8.RuneLen(d.delimiter):]
			continue
		}
		var b strings.Builder
		i := 1
		for {
			k := strings.IndexByte(s[i:], '"')
			if k < 0 {
				return append(cells, d.cell(s, false)), true
			}
			b.WriteString(s[i : i+k])
			i += k + 1
			if !strings.HasPrefix(s[i:], `"`) {
				break
			}
			b.WriteByte('"')
			i++
		}
		k := strings.IndexRune(s[i:], d.delimiter)
		if k < 0 {
			b.WriteString(s[i:])
			return append(cells, d.cell(b.String(), true)), false
		}
		b.WriteString(s[i : i+k])
		cells = append(cells, d.cell(b.String(), true))
		s = s[i+k+utf8.RuneLen(d.delimiter):]
	}
}

func (d *delimited) cell(s string, quoted bool) Cell {
	if s == "" && !quoted && !d.emptyText {
		return Cell{from: fromText}
	}
	return Cell{Value: s, raw: s, from: fromText}
}

// names makes column names of a header.
func names(cells []Cell) []string {
	out := make([]string, len(cells))
	for i, c := range cells {
		name := strings.TrimSpace(c.raw)
		if name == "" {
			name = fmt.Sprintf("Column%d", i+1)
		}
		base := name
		for k := 1; slices.Contains(out[:i], name); k++ {
			name = fmt.Sprintf("%s_%d", base, k)
		}
		out[i] = name
	}
	return out
}

func numbered(from int, n int) []string {
	var out []string
	for i := from; i < n; i++ {
		out = append(out, fmt.Sprintf("Column%d", i+1))
	}
	return out
}

// read yields the rows of one file as text.
func (d *delimited) read(f File, in io.Reader, yield func(*Row) bool) error {
	r, err := decoded(in, d.encoding)
	if err != nil {
		return err
	}
	var header, wide []string
	for n := 1; ; n++ {
		cells, took, err := d.record(r)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("row %d: %w", n, err)
		}
		if header == nil {
			own := names(cells)
			switch {
			case d.header == "no_header":
				header = numbered(0, len(cells))
			case d.first == nil || d.header == "all_files_different_headers":
				header = own
			case d.header == "from_first_file":
				header = d.first
			case !slices.Equal(own, d.first):
				return fmt.Errorf("its header (%s) is not that of %s (%s); header: all_files_different_headers reads such files", strings.Join(own, ", "), d.firstSource, strings.Join(d.first, ", "))
			default:
				header = d.first
			}
			if d.first == nil {
				d.first, d.firstSource = header, f.Name
			}
			if d.header != "no_header" && !(d.header == "from_first_file" && d.firstSource != f.Name) {
				continue
			}
		}
		row := &Row{Columns: header, Cells: cells, Bytes: took}
		for len(row.Cells) < len(header) {
			row.Cells = append(row.Cells, Cell{from: fromText})
		}
		if len(row.Cells) > len(header) {
			if len(wide) != len(row.Cells) {
				wide = append(slices.Clone(header), numbered(len(header), len(row.Cells))...)
			}
			row.Columns = wide
		}
		if !yield(row) {
			return nil
		}
	}
}
