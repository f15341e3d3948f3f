package tracking

import (
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/azureml-go/azureml/internal/emulator/tracking/points"
	"github.com/azureml-go/azureml/internal/emulator/tracking/py"
)

// latest is the latest value of one key of a run. A run's list of them is packed:
// for each the key, the time, the step and the value.
type latest struct {
	key string
	points.Point
}

func (l *latest) metric() Metric { return metricOf(l.key, l.Point) }

func appendLatest(b []byte, l latest) []byte {
	b = binary.AppendUvarint(b, uint64(len(l.key)))
	b = append(b, l.key...)
	b = binary.AppendVarint(b, l.Time)
	b = binary.AppendVarint(b, l.Step)
	return binary.LittleEndian.AppendUint64(b, math.Float64bits(l.Value))
}

var errLatest = errors.New("tracking: corrupt list of latest values")

// readLatest calls f for each value of a packed list.
func readLatest(b []byte, f func(latest)) error {
	for len(b) > 0 {
		n, used := binary.Uvarint(b)
		if used <= 0 || uint64(len(b)-used) < n {
			return errLatest
		}
		l := latest{key: string(b[used : used+int(n)])}
		b = b[used+int(n):]
		var a, c int
		l.Time, a = binary.Varint(b)
		if a <= 0 {
			return errLatest
		}
		l.Step, c = binary.Varint(b[a:])
		if c <= 0 || len(b) < a+c+8 {
			return errLatest
		}
		l.Value = math.Float64frombits(binary.LittleEndian.Uint64(b[a+c:]))
		b = b[a+c+8:]
		f(l)
	}
	return nil
}

// writeLatest writes the list metrics of a run's data.
func writeLatest(o *out, packed []byte) {
	if len(packed) == 0 {
		return
	}
	o.key("metrics")
	o.b = append(o.b, '[')
	err := readLatest(packed, func(l latest) {
		m := l.metric()
		o.item(func() { m.write(o) })
	})
	o.b = append(o.b, ']')
	if err != nil {
		o.b = fmt.Appendf(o.b, "%q", err.Error()) // no JSON: the answer is refused whole
	}
}

// summary is a run's latest values, to be changed.
type summary struct {
	list    []latest
	at      map[string]int
	changed map[string]bool
}

func openSummary(packed []byte) (*summary, error) {
	s := &summary{at: map[string]int{}, changed: map[string]bool{}}
	err := readLatest(packed, func(l latest) {
		s.at[l.key] = len(s.list)
		s.list = append(s.list, l)
	})
	return s, err
}

// see takes a value in. Of several values of one batch the first counts that no
// other is later than.
func (s *summary) see(key string, p points.Point) {
	i, ok := s.at[key]
	switch {
	case !ok:
		s.at[key] = len(s.list)
		s.list = append(s.list, latest{key, p})
	case p.After(s.list[i].Point):
		s.list[i].Point = p
	default:
		return
	}
	s.changed[key] = true
}

func (s *summary) pack() []byte {
	b := make([]byte, 0, 40*len(s.list))
	for _, l := range s.list {
		b = appendLatest(b, l)
	}
	return b
}

// withTail takes in what the tail holds of a run.
func (s *Store) withTail(tx *sql.Tx, r *runRow) (err error) {
	rows, err := tx.Query(`SELECT data FROM tracking_tail WHERE rid = ? ORDER BY seq`, r.rid)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	var sum *summary
	for rows.Next() {
		var data sql.RawBytes
		if err := rows.Scan(&data); err != nil {
			return err
		}
		if sum == nil {
			if sum, err = openSummary(r.metrics); err != nil {
				return err
			}
		}
		if err := s.seeBatch(tx, sum, data); err != nil {
			return err
		}
	}
	if sum != nil {
		r.metrics = sum.pack()
	}
	return rows.Err()
}

// seeBatch takes the values of a row of the tail in.
func (s *Store) seeBatch(tx *sql.Tx, sum *summary, data []byte) error {
	var failed error
	var last int64
	var name string
	err := points.Batch(data, func(kid int64, p points.Point) {
		if kid != last {
			var err error
			if name, err = s.keyName(tx, kid); err != nil {
				failed = err
			}
			last = kid
		}
		sum.see(name, p)
	})
	return errors.Join(err, failed)
}

// describeDifference prints a parameter that would change as Python prints a dict.
func describeDifference(more bool, p Tag, old string) []byte {
	var b []byte
	if more {
		b = append(b, ", "...)
	}
	return fmt.Appendf(b, "{'key': %s, 'old_value': %s, 'new_value': %s}", py.Repr(p.Key), py.Repr(old), py.Repr(p.Value))
}
