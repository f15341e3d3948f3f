package serving

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
)

// event is a payload on its way into a collection.
type event struct {
	to          *collection
	id          string
	at          time.Time // by which its folder is chosen
	kind        string    // the CloudEvents type
	contentType string
	body        []byte
	rows        func(body []byte) ([]byte, error) // makes rows of the body, nil for a body that is collected as it is
	attributes  []attribute
}

// attribute is one of CloudEvents' extension attributes.
type attribute struct{ name, value string }

func newEvent(to *collection, at time.Time, contentType string, body []byte) *event {
	return &event{to: to, id: uuid.NewString(), at: at.UTC(), kind: "azureml.inference." + to.name, contentType: contentType, body: body}
}

func (e *event) add(name, value string) { e.attributes = append(e.attributes, attribute{name, value}) }

// attributeName is how a header is called in an event: CloudEvents knows lower case letters and digits only.
func attributeName(header string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, strings.ToLower(header))
}

// maxInline is the largest payload that is written into its line; a larger one lies beside, as on Azure.
const maxInline = 4 << 20

// beside is true of a payload that no line holds.
func (e *event) beside() bool { return len(e.body) > maxInline || !utf8.Valid(e.body) }

// line is the event as a line of JSON. at is where a payload lies that is not in the line.
func (e *event) line(source, at string) []byte {
	var b bytes.Buffer
	seen := map[string]bool{}
	put := func(name string, value []byte) {
		if seen[name] {
			return
		}
		seen[name] = true
		if b.Len() == 0 {
			b.WriteByte('{')
		} else {
			b.WriteByte(',')
		}
		b.Write(quote(name))
		b.WriteByte(':')
		b.Write(value)
	}
	moment := e.at.Format(time.RFC3339)
	for _, a := range e.attributes { // said by who sent it
		if a.name == "time" {
			moment = a.value
		}
	}
	contentType := e.contentType
	if contentType == "" {
		contentType = "application/octet-stream"
	}
	for _, a := range []attribute{{"specversion", "1.0"}, {"id", e.id}, {"source", source}, {"type", e.kind}, {"datacontenttype", contentType}, {"time", moment}} {
		put(a.name, quote(a.value))
	}
	switch {
	case at != "" && utf8.Valid(e.body):
		put("dataref", quote(at))
	case at != "":
		put("data", quote(at))
		put("datainblob", quote("true"))
	default:
		put("data", inline(e.body))
	}
	for _, a := range e.attributes {
		put(a.name, quote(a.value))
	}
	extent := "bytes */0"
	if n := len(e.body); n > 0 {
		extent = "bytes 0-" + strconv.Itoa(n-1) + "/" + strconv.Itoa(n)
	}
	put("contentrange", quote(extent))
	b.WriteString("}\n")
	return b.Bytes()
}

// inline is a payload inside a line: JSON as it is, without its line breaks, and other text as a string.
func inline(body []byte) []byte {
	var b bytes.Buffer
	if json.Compact(&b, body) == nil {
		return b.Bytes()
	}
	return quote(string(body))
}

func quote(s string) []byte {
	b, err := json.Marshal(s)
	if err != nil { // a string does not fail
		return []byte(`""`)
	}
	return b
}
