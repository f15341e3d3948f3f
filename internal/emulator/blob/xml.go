package blob

import (
	"encoding/xml"
	"net/url"
	"strings"
	"unicode/utf8"
)

// element writes <name>text</name>.
func element(b *strings.Builder, name, text string) {
	b.WriteByte('<')
	b.WriteString(name)
	if text == "" {
		b.WriteString(" />")
		return
	}
	b.WriteByte('>')
	escape(b, text)
	b.WriteString("</")
	b.WriteString(name)
	b.WriteByte('>')
}

func escape(b *strings.Builder, text string) {
	// Most texts have nothing to escape, and EscapeText is slow.
	plain := true
	for i := 0; plain && i < len(text); i++ {
		switch c := text[i]; c {
		case '<', '>', '&', '"', '\'':
			plain = false
		default:
			plain = c >= ' ' && c <= '~'
		}
	}
	if plain {
		b.WriteString(text)
		return
	}
	// A strings.Builder does not fail.
	_ = xml.EscapeText(b, []byte(text))
}

// nameElement writes a blob's name, percent-encoded when XML cannot hold it.
func nameElement(b *strings.Builder, name string) {
	if xmlText(name) {
		element(b, "Name", name)
		return
	}
	b.WriteString(`<Name Encoded="true">`)
	escape(b, url.PathEscape(name))
	b.WriteString("</Name>")
}

// xmlText reports whether XML 1.0 can hold the text and gives it back unchanged.
func xmlText(text string) bool {
	if !utf8.ValidString(text) {
		return false
	}
	for _, r := range text {
		if r < ' ' || r == 0xFFFE || r == 0xFFFF {
			return false
		}
	}
	return true
}
