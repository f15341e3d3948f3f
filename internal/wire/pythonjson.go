package wire

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// PythonJSON is json.dumps(v, sort_keys=True): ", " and ": " between things, everything beyond ASCII as \uXXXX, floats by
// repr. Hashes are made of it.
func PythonJSON(v any) ([]byte, error) { return appendPythonJSON(nil, v) }

func appendPythonJSON(b []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return append(b, "null"...), nil
	case bool:
		return strconv.AppendBool(b, v), nil
	case int:
		return strconv.AppendInt(b, int64(v), 10), nil
	case int64:
		return strconv.AppendInt(b, v, 10), nil
	case *big.Int:
		return v.Append(b, 10), nil
	case float64:
		switch {
		case math.IsInf(v, 1):
			return append(b, "Infinity"...), nil
		case math.IsInf(v, -1):
			return append(b, "-Infinity"...), nil
		case math.IsNaN(v):
			return append(b, "NaN"...), nil
		}
		return append(b, PythonFloat(v)...), nil
	case json.Number:
		n, _ := scalarNode(v) // a number always has one
		if n.Kind == String {
			return nil, fmt.Errorf("wire: %q is no number", v.String())
		}
		return appendPythonJSON(b, n.Value)
	case string:
		return appendPythonString(b, v), nil
	case Timestamp:
		return nil, fmt.Errorf("wire: the date %s has no JSON; quote it", v)
	case []any:
		b = append(b, '[')
		for i, x := range v {
			if i > 0 {
				b = append(b, ", "...)
			}
			var err error
			if b, err = appendPythonJSON(b, x); err != nil {
				return nil, err
			}
		}
		return append(b, ']'), nil
	case Raw:
		return appendPythonJSON(b, map[string]any(v))
	case map[string]any:
		b = append(b, '{')
		for i, k := range sortedKeys(v) {
			if i > 0 {
				b = append(b, ", "...)
			}
			b = append(appendPythonString(b, k), ": "...)
			var err error
			if b, err = appendPythonJSON(b, v[k]); err != nil {
				return nil, err
			}
		}
		return append(b, '}'), nil
	}
	return nil, fmt.Errorf("wire: %T has no JSON here", v)
}

const hexDigits = "0123456789abcdef"

func appendPythonString(b []byte, s string) []byte {
	u := func(b []byte, r rune) []byte {
		return append(b, '\\', 'u', hexDigits[r>>12&15], hexDigits[r>>8&15], hexDigits[r>>4&15], hexDigits[r&15])
	}
	b = append(b, '"')
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			i++
			switch {
			case c == '"' || c == '\\':
				b = append(b, '\\', c)
			case c == '\n':
				b = append(b, `\n`...)
			case c == '\r':
				b = append(b, `\r`...)
			case c == '\t':
				b = append(b, `\t`...)
			case c == '\b':
				b = append(b, `\b`...)
			case c == '\f':
				b = append(b, `\f`...)
			case c < 0x20:
				b = u(b, rune(c))
			default:
				b = append(b, c)
			}
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		i += n
		if r >= 0x10000 {
			hi, lo := utf16.EncodeRune(r)
			b = u(u(b, hi), lo)
			continue
		}
		b = u(b, r)
	}
	return append(b, '"')
}

// HashText is the lower-case hex of SHA-256 of a text.
func HashText(s string) string {
	h := sha256.Sum256([]byte(s))
	return hex.EncodeToString(h[:])
}

// HashID is azure-ai-ml's hash_dict: SHA-256 over PythonJSON of an object, its first 32 hex digits written as a UUID. It
// names anonymous components.
func HashID(v map[string]any) (string, error) {
	b, err := PythonJSON(v)
	if err != nil {
		return "", err
	}
	h := HashText(string(b))
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:32], nil
}
