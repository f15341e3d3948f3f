package search

import (
	_ "embed"
	"regexp"
	"strings"
	"sync"
	"unicode"

	"github.com/azureml-go/azureml/internal/emulator/tracking/py"
)

// kind is a token's type. Types form a tree, as in sqlparse: the part before a
// dot contains the whole.
type kind string

const (
	kindNone       kind = "" // of groups
	kindWhitespace kind = "Text.Whitespace"
	kindNewline    kind = "Text.Whitespace.Newline"
	kindComment    kind = "Comment"
	kindSingle     kind = "Comment.Single"
	kindHint       kind = "Comment.Single.Hint"
	kindMultiline  kind = "Comment.Multiline"
	kindBlockHint  kind = "Comment.Multiline.Hint"
	kindAssignment kind = "Assignment"
	kindPunct      kind = "Punctuation"
	kindWildcard   kind = "Wildcard"
	kindName       kind = "Name"
	kindBuiltin    kind = "Name.Builtin"
	kindHolder     kind = "Name.Placeholder"
	kindCommand    kind = "Generic.Command"
	kindKeyword    kind = "Keyword"
	kindOrder      kind = "Keyword.Order"
	kindDDL        kind = "Keyword.DDL"
	kindDML        kind = "Keyword.DML"
	kindCTE        kind = "Keyword.CTE"
	kindTZCast     kind = "Keyword.TZCast"
	kindLiteral    kind = "Literal"
	kindNumber     kind = "Literal.Number"
	kindHex        kind = "Literal.Number.Hexadecimal"
	kindFloat      kind = "Literal.Number.Float"
	kindInteger    kind = "Literal.Number.Integer"
	kindString     kind = "Literal.String"
	kindQuoted     kind = "Literal.String.Single"
	kindSymbol     kind = "Literal.String.Symbol"
	kindOperator   kind = "Operator"
	kindCompare    kind = "Operator.Comparison"
	kindError      kind = "Error"
)

// in reports whether k is t or below it.
func (k kind) in(t kind) bool {
	return k != kindNone && (k == t || strings.HasPrefix(string(k), string(t)+"."))
}

//go:embed keywords.txt
var keywordList string

// keywords are the words that are not names, with their types.
var keywords = sync.OnceValue(func() map[string]kind {
	m := map[string]kind{}
	for line := range strings.Lines(keywordList) {
		words := strings.Fields(line)
		for _, w := range words[1:] {
			m[w] = kind(words[0])
		}
	}
	return m
})

// phrases are the keywords of several words, in the order in which they are tried.
var phrases = []struct {
	re   *regexp.Regexp
	kind kind
}{
	{phrase(`((LEFT\s+|RIGHT\s+|FULL\s+)?(INNER\s+|OUTER\s+|STRAIGHT\s+)?|(CROSS\s+|NATURAL\s+)?)?JOIN\b`), kindKeyword},
	{phrase(`END(\s+IF|\s+LOOP|\s+WHILE|\s+FOR|\s+CASE)?\b`), kindKeyword},
	{phrase(`IF\s+(NOT\s+)?EXISTS\b`), kindKeyword},
	{phrase(`NOT\s+NULL\b`), kindKeyword},
	{phrase(`(ASC|DESC)(\s+NULLS\s+(FIRST|LAST))?\b`), kindOrder},
	{phrase(`NULLS\s+(FIRST|LAST)\b`), kindOrder},
	{phrase(`UNION\s+ALL\b`), kindKeyword},
	{phrase(`CREATE(\s+OR\s+REPLACE)?\b`), kindDDL},
	{phrase(`DOUBLE\s+PRECISION\b`), kindBuiltin},
	{phrase(`GROUP\s+BY\b`), kindKeyword},
	{phrase(`ORDER\s+BY\b`), kindKeyword},
	{phrase(`PRIMARY\s+KEY\b`), kindKeyword},
	{phrase(`HANDLER\s+FOR\b`), kindKeyword},
	{phrase(`GO(\s\d+)\b`), kindKeyword},
	{phrase(`(LATERAL\s+VIEW\s+)(EXPLODE|INLINE|PARSE_URL_TUPLE|POSEXPLODE|STACK)\b`), kindKeyword},
	{phrase(`(AT|WITH')\s+TIME\s+ZONE\s+'[^']+'`), kindTZCast},
	{phrase(`(NOT\s+)?(LIKE|ILIKE|RLIKE)\b`), kindCompare},
	{phrase(`(NOT\s+)?(REGEXP)(\s+(BINARY))?\b`), kindCompare},
}

func phrase(s string) *regexp.Regexp { return regexp.MustCompile(`^(?i:` + s + `)`) }

// firstWords are keywords even before a dot or a parenthesis.
var firstWords = map[string]bool{"CASE": true, "IN": true, "VALUES": true, "USING": true, "FROM": true, "AS": true}

// lexer cuts a filter into tokens where sqlparse's regular expressions do. It
// works on code points.
type lexer struct {
	text   []rune
	single []int // where a string that is entered at a position ends, for '
	double []int // the same for "
}

// lex cuts the text into tokens.
func lex(s string) []*node {
	l := &lexer{text: []rune(s)}
	var tokens []*node
	for pos := 0; pos < len(l.text); {
		k, end := l.next(pos)
		tokens = append(tokens, newToken(k, string(l.text[pos:end])))
		pos = end
	}
	return tokens
}

func (l *lexer) at(i int) rune {
	if i < 0 || i >= len(l.text) {
		return -1
	}
	return l.text[i]
}

func (l *lexer) has(pos int, s string) bool {
	for _, r := range s {
		if l.at(pos) != r {
			return false
		}
		pos++
	}
	return true
}

// letter reports whether r is matched by [A-ZÀ-Ü] without regard to case.
func letter(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= 'À' && r <= 'Ü' || r >= 'à' && r <= 'ü' && r != '÷' ||
		r == 'İ' || r == 'ı' || r == 'ſ' || r == '\u212a'
}

func (l *lexer) word(i int) int { return l.while(i, py.IsWord) }

func (l *lexer) while(i int, f func(rune) bool) int {
	for i < len(l.text) && f(l.text[i]) {
		i++
	}
	return i
}

// next is the token at pos: the rules in sqlparse's order.
func (l *lexer) next(pos int) (kind, int) {
	c := l.text[pos]
	if k, end := l.span(pos); end > 0 {
		return k, end
	}
	if k, end := l.comment(pos); end > 0 {
		return k, end
	}
	switch {
	case l.has(pos, "\r\n"):
		return kindNewline, pos + 2
	case c == '\r' || c == '\n':
		return kindNewline, pos + 1
	case py.IsSpace(c):
		return kindWhitespace, pos + 1
	case l.has(pos, ":="):
		return kindAssignment, pos + 2
	case l.has(pos, "::"):
		return kindPunct, pos + 2
	case c == '*':
		return kindWildcard, pos + 1
	case c == '`' || c == '´':
		if end := l.backquoted(pos, c); end > 0 {
			return kindName, end
		}
	}
	if end := l.placeholder(pos); end > 0 {
		return kindHolder, end
	}
	if c == '\\' {
		if end := l.word(pos + 1); end > pos+1 {
			return kindCommand, end
		}
	}
	if k, end := l.name(pos); end > 0 {
		return k, end
	}
	if k, end := l.number(pos); end > 0 {
		return k, end
	}
	if k, end := l.quoted(pos); end > 0 {
		return k, end
	}
	if k, end := l.keyword(pos); end > 0 {
		return k, end
	}
	return l.symbol(pos)
}

// comment matches a comment that ends with its line.
func (l *lexer) comment(pos int) (kind, int) {
	if !l.has(pos, "--") && !l.has(pos, "# ") {
		return "", 0
	}
	k := kindSingle
	if l.at(pos+2) == '+' {
		k = kindHint
	}
	end := l.while(pos+2, func(r rune) bool { return r != '\r' && r != '\n' })
	if l.has(end, "\r\n") {
		return k, end + 2
	}
	return k, min(end+1, len(l.text))
}

// span matches what has an opening and a closing mark: $tag$…$tag$ and /*…*/.
func (l *lexer) span(pos int) (kind, int) {
	if l.has(pos, "/*") {
		k, from := kindMultiline, pos+2
		if l.at(from) == '+' {
			k, from = kindBlockHint, from+1
		}
		for i := from; i < len(l.text); i++ {
			if l.has(i, "*/") {
				return k, i + 2
			}
		}
		return "", 0
	}
	if l.text[pos] != '$' {
		return "", 0
	}
	if p := l.at(pos - 1); p == '"' || p == '$' || p >= 0 && py.IsWord(p) {
		return "", 0
	}
	end := pos + 1
	if letter(l.at(end)) || l.at(end) == '_' {
		end = l.word(end)
	}
	if l.at(end) != '$' {
		return "", 0
	}
	mark := string(l.text[pos : end+1])
	for i := end + 1; i < len(l.text); i++ {
		if l.has(i, mark) {
			return kindLiteral, i + len([]rune(mark))
		}
	}
	return "", 0
}

// backquoted matches `…` with doubled quotes inside.
func (l *lexer) backquoted(pos int, quote rune) int {
	pair := 0
	i := pos + 1
	for i < len(l.text) {
		switch {
		case l.text[i] != quote:
			i++
		case l.at(i+1) == quote:
			pair = i
			i += 2
		default:
			return i + 1
		}
	}
	if pair > 0 {
		return pair + 1 // nothing closes it but the first half of the last pair
	}
	return 0
}

func (l *lexer) placeholder(pos int) int {
	switch c := l.text[pos]; c {
	case '?':
		return pos + 1
	case '%':
		if l.at(pos+1) == 's' || l.at(pos+1) == 'S' {
			return pos + 2
		}
		if end := l.word(pos + 2); l.at(pos+1) == '(' && end > pos+2 && l.at(end) == ')' && unicode.ToLower(l.at(end+1)) == 's' {
			return end + 2
		}
	case '$', ':':
		if end := l.word(pos + 1); end > pos+1 && (pos == 0 || !py.IsWord(l.text[pos-1])) {
			return end
		}
	}
	return 0
}

// name matches what is a name, or one of the first keywords, before numbers are tried.
func (l *lexer) name(pos int) (kind, int) {
	c := l.text[pos]
	if letter(c) {
		end := l.word(pos)
		if end <= pos+6 && firstWords[strings.ToUpper(string(l.text[pos:end]))] {
			return kindKeyword, end
		}
		dot := l.while(end, py.IsSpace)
		if l.at(dot) == '.' && (dot+1 >= len(l.text) || !py.IsDigit(l.text[dot+1])) || l.at(pos-1) == '.' || l.at(end) == '(' {
			return kindName, end
		}
		return "", 0
	}
	from := pos
	switch {
	case l.has(pos, "##"):
		from = pos + 2
	case c == '@' || c == '#':
		from = pos + 1
	default:
		return "", 0
	}
	if end := l.word(from + 1); letter(l.at(from)) && end > from+1 {
		return kindName, end
	}
	return "", 0
}

func (l *lexer) number(pos int) (kind, int) {
	i := pos
	if l.text[i] == '-' {
		i++
	}
	if c := l.at(i); c != '.' && (c < 0 || !py.IsDigit(c)) {
		return "", 0
	}
	if l.at(i) == '0' && unicode.ToLower(l.at(i+1)) == 'x' {
		end := l.while(i+2, func(r rune) bool { return py.IsDigit(r) || r >= 'a' && r <= 'f' || r >= 'A' && r <= 'F' })
		if end > i+2 {
			return kindHex, end
		}
	}
	whole := l.while(i, py.IsDigit)
	if whole > i {
		if end := l.exponent(whole); end > 0 {
			return kindFloat, end
		}
	}
	if l.at(whole) == '.' {
		least := whole + 1
		if whole == i {
			least++ // .5 needs its digit
		}
		for end := l.while(whole+1, py.IsDigit); end >= least; end-- {
			if c := l.at(end); c != '_' && !letter(c) {
				return kindFloat, end
			}
		}
	}
	for end := whole; end > i; end-- {
		if c := l.at(end); c != '_' && !letter(c) {
			return kindInteger, end
		}
	}
	return "", 0
}

// exponent matches the rest of a number with an exponent, behind its whole digits.
func (l *lexer) exponent(i int) int {
	if l.at(i) == '.' {
		if frac := l.while(i+1, py.IsDigit); frac > i+1 {
			i = frac
		}
	}
	if unicode.ToLower(l.at(i)) != 'e' {
		return 0
	}
	i++
	if l.at(i) == '-' {
		i++
	}
	if end := l.while(i, py.IsDigit); end > i {
		return end
	}
	return 0
}

// quoted matches strings and names in brackets.
func (l *lexer) quoted(pos int) (kind, int) {
	switch l.text[pos] {
	case '\'':
		if l.single == nil {
			l.single = l.ends('\'')
		}
		return kindQuoted, l.single[pos+1]
	case '"':
		if l.double == nil {
			l.double = l.ends('"')
		}
		return kindSymbol, l.double[pos+1]
	case '[':
		if p := l.at(pos - 1); p == ']' || p == ')' || p >= 0 && py.IsWord(p) {
			return "", 0
		}
		end := l.while(pos+1, func(r rune) bool { return r != '[' && r != ']' })
		if end > pos+1 && l.at(end) == ']' {
			return kindName, end + 1
		}
	}
	return "", 0
}

// ends tells for each position where a string ends of which the content begins
// there, 0 for never. Content is, in this order of preference: the quote twice,
// the quote behind a backslash, anything else.
func (l *lexer) ends(quote rune) []int {
	n := len(l.text)
	ends := make([]int, n+2)
	for p := n - 1; p >= 0; p-- {
		c, d := l.text[p], l.at(p+1)
		if (c == quote || c == '\\') && d == quote && ends[p+2] > 0 {
			ends[p] = ends[p+2]
		} else if c == quote {
			ends[p] = p + 1
		} else {
			ends[p] = ends[p+1]
		}
	}
	return ends
}

// keyword matches phrases, then single words, which are keywords or names.
func (l *lexer) keyword(pos int) (kind, int) {
	if letter(l.text[pos]) {
		rest := string(l.text[pos:min(len(l.text), pos+200)])
		for _, p := range phrases {
			if m := p.re.FindString(rest); m != "" {
				return p.kind, pos + len([]rune(m))
			}
		}
	}
	if !py.IsWord(l.text[pos]) {
		return "", 0
	}
	end := l.while(pos, func(r rune) bool { return r == '$' || r == '#' || py.IsWord(r) })
	if k, ok := keywords()[strings.ToUpper(string(l.text[pos:end]))]; ok {
		return k, end
	}
	return kindName, end
}

var operators = []string{"->>", "->", "#>>", "#>", "@>", "<@", "#-", "-"}

func (l *lexer) symbol(pos int) (kind, int) {
	c := l.text[pos]
	if strings.ContainsRune(";:()[],.", c) {
		return kindPunct, pos + 1
	}
	for _, op := range operators {
		if l.has(pos, op) {
			return kindOperator, pos + len(op)
		}
	}
	if end := l.while(pos, func(r rune) bool { return strings.ContainsRune("<>=~!", r) }); end > pos {
		return kindCompare, end
	}
	if end := l.while(pos, func(r rune) bool { return strings.ContainsRune("+/@#%^&|-", r) }); end > pos {
		return kindOperator, end
	}
	return kindError, pos + 1
}
