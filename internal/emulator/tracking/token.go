package tracking

import (
	"encoding/base64"
	"strconv"
	"strings"
)

// nextToken is the token of the page that begins at an offset.
func nextToken(offset int) string {
	return base64.StdEncoding.EncodeToString([]byte(`{"offset": ` + strconv.Itoa(offset) + `}`))
}

// decodeToken decodes base64 as Python does: what is not of its alphabet is skipped.
func decodeToken(token string) ([]byte, error) {
	token = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '+' || r == '/' || r == '=' {
			return r
		}
		return -1
	}, token)
	if i := strings.IndexByte(token, '='); i >= 0 && i%4 >= 2 {
		token = token[:i] + strings.Repeat("=", 4-i%4)
	}
	raw, err := base64.StdEncoding.DecodeString(token)
	if err != nil {
		return nil, invalidf("Invalid page token, could not base64-decode")
	}
	return raw, nil
}
