// Package points packs metric values. A batch is what one request logged, in its
// order, for several keys; a segment holds values of one key, sorted.
package points

import (
	"cmp"
	"encoding/binary"
	"errors"
	"math"
	"slices"
)

// Point is one value of a metric.
type Point struct {
	Time  int64 // milliseconds since 1970
	Step  int64
	Value float64 // NaN is a value; infinities are stored as the greatest numbers
}

// Clean returns the value as it is stored.
func Clean(v float64) float64 {
	if math.IsInf(v, 0) {
		return math.Copysign(math.MaxFloat64, v)
	}
	return v
}

// Rank is the value that orders are by: NaN counts as 0.
func (p Point) Rank() float64 {
	if math.IsNaN(p.Value) {
		return 0
	}
	return p.Value
}

// Compare orders points as histories show them: by time, step, value.
func Compare(a, b Point) int {
	if c := cmp.Compare(a.Time, b.Time); c != 0 {
		return c
	}
	if c := cmp.Compare(a.Step, b.Step); c != 0 {
		return c
	}
	return compareValue(a, b)
}

// CompareStep orders points by step, time, value.
func CompareStep(a, b Point) int {
	if c := cmp.Compare(a.Step, b.Step); c != 0 {
		return c
	}
	if c := cmp.Compare(a.Time, b.Time); c != 0 {
		return c
	}
	return compareValue(a, b)
}

func compareValue(a, b Point) int {
	if c := cmp.Compare(a.Rank(), b.Rank()); c != 0 {
		return c
	}
	switch an, bn := math.IsNaN(a.Value), math.IsNaN(b.Value); {
	case an == bn:
		return 0
	case bn:
		return -1
	}
	return 1
}

// After reports whether p is the latest value when q was: a greater step, then
// time, then value.
func (p Point) After(q Point) bool {
	if p.Step != q.Step {
		return p.Step > q.Step
	}
	if p.Time != q.Time {
		return p.Time > q.Time
	}
	return p.Rank() > q.Rank()
}

// Sort sorts points and drops those that are there twice.
func Sort(ps []Point) []Point {
	if !slices.IsSortedFunc(ps, Compare) {
		slices.SortFunc(ps, Compare)
	}
	return slices.CompactFunc(ps, func(a, b Point) bool { return Compare(a, b) == 0 })
}

var errCorrupt = errors.New("points: corrupt data")

// AppendBatch appends a batch. keys[i] is the number of the key of ps[i].
func AppendBatch(b []byte, keys []int64, ps []Point) []byte {
	b = binary.AppendUvarint(b, uint64(len(ps)))
	var key int64
	var last Point
	for i, p := range ps {
		b = binary.AppendVarint(b, keys[i]-key)
		b = binary.AppendVarint(b, p.Time-last.Time)
		b = binary.AppendVarint(b, p.Step-last.Step)
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(p.Value))
		key, last = keys[i], p
	}
	return b
}

// Batch calls f for each value of a batch.
func Batch(b []byte, f func(key int64, p Point)) error {
	r := reader{b: b}
	n := r.uvarint()
	var key int64
	var p Point
	for range n {
		key += r.varint()
		p.Time += r.varint()
		p.Step += r.varint()
		p.Value = math.Float64frombits(r.fixed())
		if r.bad {
			return errCorrupt
		}
		f(key, p)
	}
	if r.bad {
		return errCorrupt
	}
	return nil
}

// AppendSegment appends sorted points in a small form: differences of differences
// of times and steps, and of each value the bytes that differ from the one before.
func AppendSegment(b []byte, ps []Point) []byte {
	b = binary.AppendUvarint(b, uint64(len(ps)))
	var last, change Point
	var bits uint64
	for _, p := range ps {
		d := Point{Time: p.Time - last.Time, Step: p.Step - last.Step}
		b = binary.AppendVarint(b, d.Time-change.Time)
		b = binary.AppendVarint(b, d.Step-change.Step)
		last, change = p, d
		now := math.Float64bits(p.Value)
		b = appendBits(b, now^bits)
		bits = now
	}
	return b
}

// appendBits appends the bytes between the leading and trailing zero bytes.
func appendBits(b []byte, x uint64) []byte {
	var raw [8]byte
	binary.BigEndian.PutUint64(raw[:], x)
	from, to := 0, 8
	for from < 8 && raw[from] == 0 {
		from++
	}
	for to > from && raw[to-1] == 0 {
		to--
	}
	b = append(b, byte(from<<4|(to-from)))
	return append(b, raw[from:to]...)
}

// Segment appends the points of a segment to ps.
func Segment(b []byte, ps []Point) ([]Point, error) {
	r := reader{b: b}
	n := r.uvarint()
	if n > uint64(len(b)) { // a point takes three bytes at least
		return ps, errCorrupt
	}
	ps = slices.Grow(ps, int(n))
	var last, change Point
	var bits uint64
	for range n {
		change.Time += r.varint()
		change.Step += r.varint()
		last.Time += change.Time
		last.Step += change.Step
		bits ^= r.bits()
		if r.bad {
			return ps, errCorrupt
		}
		last.Value = math.Float64frombits(bits)
		ps = append(ps, last)
	}
	if r.bad {
		return ps, errCorrupt
	}
	return ps, nil
}

// reader reads numbers; bad tells that there was less than asked for.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	return v + r.skip(n)
}

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.b)
	return v + int64(r.skip(n))
}

func (r *reader) skip(n int) uint64 {
	if n <= 0 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return 0
}

func (r *reader) fixed() uint64 {
	if len(r.b) < 8 {
		r.bad, r.b = true, nil
		return 0
	}
	v := binary.LittleEndian.Uint64(r.b)
	r.b = r.b[8:]
	return v
}

func (r *reader) bits() uint64 {
	if len(r.b) == 0 {
		r.bad = true
		return 0
	}
	from, n := int(r.b[0]>>4), int(r.b[0]&15)
	if from+n > 8 || len(r.b) < 1+n {
		r.bad, r.b = true, nil
		return 0
	}
	var raw [8]byte
	copy(raw[from:], r.b[1:1+n])
	r.b = r.b[1+n:]
	return binary.BigEndian.Uint64(raw[:])
}
