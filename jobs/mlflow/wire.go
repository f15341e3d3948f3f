package mlflow

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"
	"unicode/utf8"
)

// integer reads an int64 that servers write as a number or as a string.
type integer int64

func (i *integer) UnmarshalJSON(b []byte) error {
	if len(b) > 1 && b[0] == '"' {
		b = b[1 : len(b)-1]
	}
	if string(b) == "null" || len(b) == 0 {
		return nil
	}
	if n, err := strconv.ParseInt(string(b), 10, 64); err == nil {
		*i = integer(n)
		return nil
	}
	f, err := strconv.ParseFloat(string(b), 64)
	if err != nil || math.Abs(f) > 1<<62 {
		return fmt.Errorf("%q is not an integer", b)
	}
	*i = integer(f)
	return nil
}

// time reads milliseconds since 1970; 0 is no time.
func (i integer) time() time.Time {
	if i == 0 {
		return time.Time{}
	}
	return time.UnixMilli(int64(i)).UTC()
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// double reads a float64 that may be one of the strings NaN, Infinity and -Infinity.
type double float64

func (d *double) UnmarshalJSON(b []byte) error {
	if len(b) > 1 && b[0] == '"' {
		b = b[1 : len(b)-1]
	}
	if string(b) == "null" {
		return nil
	}
	f, err := strconv.ParseFloat(string(b), 64) // knows NaN, Infinity, -Infinity
	if err != nil {
		return fmt.Errorf("%q is not a number", b)
	}
	*d = double(f)
	return nil
}

func (d double) MarshalJSON() ([]byte, error) { return appendDouble(nil, float64(d)), nil }

// appendDouble writes a value as MLflow's clients do: what JSON has no number for as a string.
func appendDouble(b []byte, f float64) []byte {
	switch {
	case math.IsNaN(f):
		return append(b, `"NaN"`...)
	case math.IsInf(f, 1):
		return append(b, `"Infinity"`...)
	case math.IsInf(f, -1):
		return append(b, `"-Infinity"`...)
	}
	return strconv.AppendFloat(b, f, 'g', -1, 64)
}

// appendString writes a JSON string. Keys are nearly always plain.
func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			quoted, err := json.Marshal(s)
			if err != nil {
				return append(b, `""`...) // json.Marshal of a string has no error
			}
			return append(b, quoted...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}

// pair is a tag or a parameter on the wire.
type pair struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

func toMap(pairs []pair) map[string]string {
	m := make(map[string]string, len(pairs))
	for _, p := range pairs {
		m[p.Key] = p.Value
	}
	return m
}

// toPairs gives a map in the order of its keys, so that the same call is the same request.
func toPairs(m map[string]string) []pair {
	out := make([]pair, 0, len(m))
	for _, k := range sortedKeys(m) {
		out = append(out, pair{k, m[k]})
	}
	return out
}

// unmarshal decodes one document into several shapes.
func unmarshal(b []byte, into ...any) error {
	for _, v := range into {
		if err := json.Unmarshal(b, v); err != nil {
			return err
		}
	}
	return nil
}
