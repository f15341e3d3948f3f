package request

import (
	"math"
	"strconv"
	"unicode/utf8"
	"unsafe"
)

// Batch is a log-batch request.
type Batch struct {
	RunID   string
	Metrics []Metric
	Params  []Pair
	Tags    []Pair
}

// Metric is one value of a batch.
type Metric struct {
	Key                                 string
	Value                               float64
	Timestamp, Step                     int64
	ModelID, DatasetName, DatasetDigest string
}

// Pair is a parameter or a tag.
type Pair struct{ Key, Value string }

// ReadBatch reads a log-batch request. Requests as clients send them take a quick
// way; whatever is odd is read, and refused, as all other requests are.
func ReadBatch(body []byte) (*Batch, error) {
	q := &quick{b: body, keys: map[string]string{}}
	if b := q.batch(); b != nil {
		return b, nil
	}
	return slowBatch(body)
}

func slowBatch(body []byte) (*Batch, error) {
	m, err := Body("LogBatch", body,
		Need("run_id", IsText),
		May("metrics", IsList, EachHas("metrics", "key", "value", "timestamp")),
		May("params", IsList, EachHas("params", "key")),
		May("tags", IsList, EachHas("tags", "key")))
	if err != nil {
		return nil, err
	}
	b := &Batch{RunID: m.Text("run_id")}
	for _, x := range m.List("metrics") {
		b.Metrics = append(b.Metrics, Metric{x.Text("key"), x.Float("value"), x.Int("timestamp"), x.Int("step"), x.Text("model_id"), x.Text("dataset_name"), x.Text("dataset_digest")})
	}
	b.Params, b.Tags = pairs(m.List("params")), pairs(m.List("tags"))
	return b, nil
}

func pairs(list []*Message) []Pair {
	var out []Pair
	for _, x := range list {
		out = append(out, Pair{x.Text("key"), x.Text("value")})
	}
	return out
}

// quick reads plain batches; a nil batch, or ok false, sends to the slow way.
type quick struct {
	b    []byte
	i    int
	keys map[string]string // one copy of each metric's key
}

func (q *quick) batch() *Batch {
	if !utf8.Valid(q.b) {
		return nil
	}
	b := &Batch{}
	ok := q.object(func(name string) bool {
		switch name {
		case "run_id":
			s, ok := q.text()
			b.RunID = string(s)
			return ok && b.RunID != ""
		case "metrics":
			return b.Metrics == nil && q.list(func() bool { return q.metric(b) })
		case "params":
			return b.Params == nil && q.list(func() bool { return q.pair(&b.Params) })
		case "tags":
			return b.Tags == nil && q.list(func() bool { return q.pair(&b.Tags) })
		}
		return false
	})
	if q.blank(); !ok || q.i != len(q.b) || b.RunID == "" {
		return nil
	}
	return b
}

func (q *quick) metric(b *Batch) bool {
	if b.Metrics == nil {
		b.Metrics = make([]Metric, 0, min(1000, len(q.b)/40+1))
	}
	var m Metric
	seen := 0
	ok := q.object(func(name string) bool {
		var ok bool
		switch name {
		case "key":
			var s []byte
			if s, ok = q.text(); ok {
				key, known := q.keys[string(s)]
				if !known {
					key = string(s)
					q.keys[key] = key
				}
				m.Key = key
			}
			seen += 1
			return ok && m.Key != ""
		case "value":
			m.Value, ok = q.float()
			seen += 10
		case "timestamp":
			m.Timestamp, ok = q.int()
			seen += 100
		case "step":
			m.Step, ok = q.int()
			seen += 1000
		}
		return ok
	})
	b.Metrics = append(b.Metrics, m)
	return ok && (seen == 111 || seen == 1111) // each once
}

func (q *quick) pair(list *[]Pair) bool {
	var p Pair
	seen := 0
	ok := q.object(func(name string) bool {
		s, ok := q.text()
		switch name {
		case "key":
			p.Key = string(s)
			seen += 1
			return ok && len(s) > 0
		case "value":
			p.Value = string(s)
			seen += 10
			return ok
		}
		return false
	})
	*list = append(*list, p)
	return ok && (seen == 1 || seen == 11)
}

func (q *quick) blank() {
	for q.i < len(q.b) && (q.b[q.i] == ' ' || q.b[q.i] == '\n' || q.b[q.i] == '\t' || q.b[q.i] == '\r') {
		q.i++
	}
}

func (q *quick) take(c byte) bool {
	q.blank()
	if q.i < len(q.b) && q.b[q.i] == c {
		q.i++
		return true
	}
	return false
}

func (q *quick) object(field func(name string) bool) bool {
	if !q.take('{') {
		return false
	}
	if q.take('}') {
		return true
	}
	for {
		name, ok := q.text()
		if !ok || !q.take(':') || !field(unsafeString(name)) {
			return false
		}
		if !q.take(',') {
			return q.take('}')
		}
	}
}

func (q *quick) list(item func() bool) bool {
	if !q.take('[') {
		return false
	}
	if q.take(']') {
		return true
	}
	for {
		if !item() {
			return false
		}
		if !q.take(',') {
			return q.take(']')
		}
	}
}

// text is a string without escapes. It is of use until the body changes.
func (q *quick) text() ([]byte, bool) {
	if !q.take('"') {
		return nil, false
	}
	from := q.i
	for q.i < len(q.b) {
		switch c := q.b[q.i]; {
		case c == '"':
			q.i++
			return q.b[from : q.i-1], true
		case c == '\\' || c < ' ':
			return nil, false
		}
		q.i++
	}
	return nil, false
}

// unsafeString is a view of bytes as a string, which only lives while they do.
func unsafeString(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// number is the text of a number that JSON allows.
func (q *quick) number() (text []byte, whole bool) {
	q.blank()
	from := q.i
	if q.i < len(q.b) && q.b[q.i] == '-' {
		q.i++
	}
	first := q.i
	for q.i < len(q.b) && q.b[q.i] >= '0' && q.b[q.i] <= '9' {
		q.i++
	}
	if q.i == first || q.b[first] == '0' && q.i > first+1 {
		return nil, false
	}
	whole = true
	for q.i < len(q.b) {
		switch c := q.b[q.i]; {
		case c == '.' || c == 'e' || c == 'E' || c == '+' || c == '-':
			whole = false
		case c < '0' || c > '9':
			return q.b[from:q.i], whole
		}
		q.i++
	}
	return nil, false // a batch does not end with a number
}

func (q *quick) int() (int64, bool) {
	text, whole := q.number()
	if !whole {
		return 0, false
	}
	n, err := strconv.ParseInt(unsafeString(text), 10, 64)
	return n, err == nil
}

func (q *quick) float() (float64, bool) {
	if q.blank(); q.i < len(q.b) && q.b[q.i] == '"' {
		s, _ := q.text()
		switch string(s) {
		case "NaN":
			return math.NaN(), true
		case "Infinity":
			return math.Inf(1), true
		case "-Infinity":
			return math.Inf(-1), true
		}
		return 0, false
	}
	text, whole := q.number()
	if text == nil || !whole && !properFloat(text) {
		return 0, false
	}
	f, err := strconv.ParseFloat(unsafeString(text), 64)
	return f, err == nil
}

// properFloat: digits around the point, and behind the exponent.
func properFloat(b []byte) bool {
	for i, c := range b {
		if c == '.' && (i == 0 || b[i-1] < '0' || b[i-1] > '9' || i+1 == len(b) || b[i+1] < '0' || b[i+1] > '9') {
			return false
		}
	}
	return true
}
