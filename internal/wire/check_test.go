package wire_test

import (
	"testing"
	"time"

	. "github.com/azureml-go/azureml/internal/wire"
	"github.com/stretchr/testify/require"
)

type badTags struct {
	A string `yaml:"a"`
}
type badOption struct {
	A string `yaml:"a,requird" json:"a"`
}
type badRESTOption struct {
	A string `yaml:"a" json:"a,omitempty"`
}
type badDefault struct {
	A int `yaml:"a" json:"a,default=x"`
}
type twoNames struct {
	A string `yaml:"a" json:"a"`
	B string `yaml:"a" json:"b"`
}
type twoPlaces struct {
	A string `yaml:"a" json:"a"`
	B string `yaml:"b" json:"b"`
}

func (twoPlaces) WireLayout() *Layout { return &Layout{At: Table{"b": "a"}} }

type insideText struct {
	A string `yaml:"a" json:"a"`
	B string `yaml:"b" json:"b"`
}

func (insideText) WireLayout() *Layout { return &Layout{At: Table{"b": "a/b"}} }

type noField struct {
	A string `yaml:"a" json:"a"`
}

func (noField) WireLayout() *Layout { return &Layout{At: Table{"z": "a"}} }

type embedsSpeller struct {
	crossValidations
	A string `yaml:"a" json:"a"`
}
type halfSpeller struct{}

func (halfSpeller) EncodeWire(*Encoding) (any, error) { return Omit, nil }

type hasHalf struct {
	H halfSpeller `yaml:"h" json:"h"`
}
type unregistered struct {
	I interface{ nobody() } `yaml:"i" json:"i"`
}
type badUnion struct {
	A string `yaml:"a" json:"A"`
}

func (badUnion) WireUnion() *Union { return &Union{} }

type sameArms struct {
	A *none `yaml:"a" json:"A"`
	B *none `yaml:"A" json:"B"`
}

func (sameArms) WireUnion() *Union { return &Union{YAML: "type", REST: "type"} }

type hookA struct {
	A string `yaml:"a" json:"a"`
}
type hookB struct {
	B string `yaml:"b" json:"b"`
}

func (hookA) AfterEncodeWire(*Encoding, map[string]any) error { return nil }
func (hookB) AfterEncodeWire(*Encoding, map[string]any) error { return nil }

type twoHooks struct {
	hookA
	hookB
}

func TestWrongDeclarationsAreSeen(t *testing.T) {
	for want, v := range map[string]any{
		"both tags, yaml and json, are needed":       badTags{},
		`unknown option "requird" in the yaml tag`:   badOption{},
		`unknown option "omitempty" in the json tag`: badRESTOption{},
		`invalid syntax`:                               badDefault{},
		`two fields are "a" in YAML`:                   twoNames{},
		"A and B are both at /a in REST":               twoPlaces{},
		"B is at /a/b, inside A, which is no object":   insideText{},
		`the layout places "z", which is no field`:     noField{},
		"which spells itself and would swallow it":     embedsSpeller{},
		"an Encoder is a Decoder":                      hasHalf{},
		"is not registered":                            unregistered{},
		"an arm is a pointer to a struct":              badUnion{},
		"A and B are both \"A\" in":                    sameArms{},
		"the AfterEncoder of wire_test.hookA is not p": &twoHooks{},
	} {
		require.ErrorContains(t, Check(v), want)
	}
	require.Panics(t, func() { _, _ = ToREST(badTags{A: "x"}) })
	require.Panics(t, func() { RegisterSum[compute](&Sum{}) }, "twice")
	require.Panics(t, func() { RegisterSum[string](&Sum{}) }, "no interface")
	require.Panics(t, func() { RegisterSum[interface{ nobody() }](&Sum{Arms: []Arm{ArmOf[cluster]("a", "A")}}) })
	require.Panics(t, func() { NewEnum("a", "A", "A", "B") })
}

type word string

func (word) WireEnum() *Enum { return words }

var words = NewEnum("off", "Off", "low", 1, "high", 2).Alias("low", "little")

type openWord string

func (openWord) WireEnum() *Enum { return openWords }

var openWords = SameEnum("a", "b").Open()

type values struct {
	Word    word           `yaml:"word" json:"word,default=low"`
	Open    openWord       `yaml:"open" json:"open"`
	When    time.Time      `yaml:"when" json:"when"`
	ISO     time.Duration  `yaml:"iso" json:"iso"`
	Days    *time.Duration `yaml:"days,days" json:"days"`
	F       *float64       `yaml:"f" json:"f"`
	B       *bool          `yaml:"b" json:"b,default=true"`
	Null    map[string]int `yaml:"nullable,null" json:"nullable"`
	Unit    unit           `yaml:"unit" json:"unit"`
	In      *inlinedPart   `yaml:",inline" json:"in"`
	Choice  choice         `yaml:",inline" json:"choice"`
	Always  bool           `yaml:"always" json:"always,keep"`
	Numbers [2]int         `yaml:"-" json:"numbers"`
}

type inlinedPart struct {
	X int `yaml:"x" json:"x"`
	Y int `yaml:"y" json:"y"`
}

type unit struct {
	Metre *metre `yaml:"metre,m" json:"Metre"`
	Foot  *foot  `yaml:"foot" json:"Foot"`
	Other Raw    `yaml:"-" json:"*"`
}

func (unit) WireUnion() *Union { return &Union{YAML: "type", REST: "unitType", Default: "metre"} }

type metre struct {
	N int `yaml:"n" json:"n"`
}
type foot struct {
	N int `yaml:"n,required" json:"n"`
}

type choice struct {
	Tea    *tea    `yaml:"tea" json:"Tea"`
	Coffee *coffee `yaml:"coffee" json:"Coffee"`
}

func (choice) WireUnion() *Union { return &Union{YAML: "drink", REST: "drink"} }

type tea struct {
	Leaf string `yaml:"leaf,required" json:"leaf"`
}
type coffee struct {
	Bean string `yaml:"bean" json:"bean"`
}

func TestValuesOfAllKinds(t *testing.T) {
	for yaml, rest := range map[string]string{
		"word: off":                             `{"word":"Off"}`,
		"word: LITTLE":                          `{"word":1}`,
		"word: high":                            `{"word":2}`,
		"open: anything":                        `{"open":"anything","word":1}`,
		"open: B":                               `{"open":"b","word":1}`,
		"when: 2024-05-01 10:00:00":             `{"when":"2024-05-01T10:00:00Z","word":1}`,
		"when: '2024-05-01T10:00:00+02:00'":     `{"when":"2024-05-01T10:00:00+02:00","word":1}`,
		"iso: PT90M":                            `{"iso":"PT1H30M","word":1}`,
		"days: 2":                               `{"days":"P2D","word":1}`,
		"days: '0'":                             `{"days":"P0D","word":1}`,
		"days: 0.5":                             `{"days":"PT12H","word":1}`,
		"f: '0'":                                `{"f":0.0,"word":1}`,
		"b: n":                                  `{"b":false,"word":1}`,
		"b: 1":                                  `{"b":true,"word":1}`,
		"nullable:":                             `{"word":1}`,
		"unit: {n: 1}":                          `{"unit":{"unitType":"Metre","n":1},"word":1}`,
		"unit: {type: M}":                       `{"unit":{"unitType":"Metre"},"word":1}`,
		"unit: {type: Foot, n: 2}":              `{"unit":{"unitType":"Foot","n":2},"word":1}`,
		"x: 3":                                  `{"in":{"x":3},"word":1}`,
		"drink: tea\nleaf: green\nalways: true": `{"choice":{"drink":"Tea","leaf":"green"},"always":true,"word":1}`,
	} {
		var v values
		require.NoError(t, LoadYAML([]byte(yaml), "", &v, nil), yaml)
		m, err := ToREST(v)
		require.NoError(t, err)
		want := parse(t, rest)
		want["numbers"] = parse(t, `{"n":[0,0]}`)["n"]
		if want["b"] == nil {
			want["b"] = true
		}
		if want["always"] == nil {
			want["always"] = false
		}
		require.JSONEq(t, asJSON(t, want), asJSON(t, m), yaml)
		text, err := DumpYAML(v)
		require.NoError(t, err)
		var again values
		require.NoError(t, LoadYAML(text, "", &again, nil), string(text))
		require.Equal(t, v.Unit, again.Unit)
		require.Equal(t, v.Choice, again.Choice)
	}
	for yaml, want := range map[string]string{
		"word: medium":             `line 1:7: word: "medium" is none of off, low or high`,
		"word: [a]":                "line 1:7: word: wants off, low or high, not a list",
		"when: soon":               "line 1:7: when: wants a time such as 2024-05-01T08:00:00Z, not a string (soon)",
		"iso: 5":                   "line 1:6: iso: wants an ISO 8601 duration such as PT1H30M, not an integer (5)",
		"iso: P1M":                 `line 1:6: iso: "P1M" is no ISO 8601 duration such as PT1H30M: years and months have no fixed length`,
		"days: many":               "line 1:7: days: wants a number of days, not a string (many)",
		"days: 999999999999":       "line 1:7: days: 999999999999 is too long",
		"b: 2":                     "line 1:4: b: wants true or false, not an integer (2)",
		"unit: {type: foot}":       `line 1:7: unit: the required field "n" is missing`,
		"unit: {type: yard}":       `line 1:14: unit.type: "yard" is none of metre or foot`,
		"unit: {type: 5}":          "line 1:14: unit.type: wants one of metre or foot, not an integer (5)",
		"unit: {n: 1, type: metr}": `line 1:20: unit.type: "metr" is none of metre or foot; did you mean "metre"?`,
		"drink: tea":               `line 1:1: the required field "leaf" is missing`,
		"drink: tea\nlaef: x":      "line 1:1: the required field \"leaf\" is missing\nline 2:1: laef: unknown field; did you mean \"leaf\"?",
		"leaf: x":                  "line 1:1: leaf: unknown field",
	} {
		require.EqualError(t, LoadYAML([]byte(yaml), "", new(values), nil), want, yaml)
	}
}

func parse(t *testing.T, s string) map[string]any {
	t.Helper()
	v, err := ParseJSON([]byte(s))
	require.NoError(t, err)
	return v.(map[string]any)
}

func TestWhatTheServiceSaysIsReadAsFarAsItGoes(t *testing.T) {
	var v values
	require.NoError(t, FromREST([]byte(`{"word":"Later","open":5,"when":"x","iso":"P1M","days":null,"f":"1.5","b":"odd","unit":{"unitType":"Yard","n":1},"choice":{"drink":"TEA","leaf":"a"},"in":{"x":"2"},"nullable":{"a":1,"b":"x"}}`), &v))
	require.Equal(t, word("Later"), v.Word)
	require.Equal(t, openWord("5"), v.Open)
	require.Zero(t, v.When)
	require.Zero(t, v.ISO)
	require.Nil(t, v.Days)
	require.InEpsilon(t, 1.5, *v.F, 0)
	require.Nil(t, v.B)
	require.Equal(t, "Yard", v.Unit.Other["unitType"])
	require.Equal(t, "a", v.Choice.Tea.Leaf)
	require.Equal(t, 2, v.In.X)
	m, err := ToREST(v)
	require.NoError(t, err)
	require.Equal(t, "Later", m["word"])
	require.JSONEq(t, `{"unitType":"Yard","n":1}`, asJSON(t, m["unit"]))
}

func TestTwoArmsAreAnError(t *testing.T) {
	_, err := ToREST(values{Unit: unit{Metre: &metre{}, Foot: &foot{}}})
	require.EqualError(t, err, "unit: wire: both Metre and Foot are set; wire_test.unit is one of them")
	_, err = DumpYAML(&values{Choice: choice{Tea: &tea{}, Coffee: &coffee{}}})
	require.Error(t, err)
}

func TestNodeAndSpecAlone(t *testing.T) {
	n := commandNode{Component: "c", Limits: &cmdLimits{Timeout: time.Minute}, Retry: &retry{Max: 2}, Bindings: Bindings{"resources.instance_count": "${{parent.inputs.n}}"}}
	m, err := ToNode(n)
	require.NoError(t, err)
	require.JSONEq(t, `{"type":"command","componentId":"c","limits":{"job_limits_type":"Command","timeout":"PT1M"},"retry_settings":{"max_retries":2},"resources":{"instance_count":"${{parent.inputs.n}}"}}`, asJSON(t, m))
	var back commandNode
	require.NoError(t, FromNode(m, &back))
	require.Equal(t, n.Limits, back.Limits)
	require.Equal(t, n.Bindings, back.Bindings)
	s, err := ToSpec(component{Name: "c", Command: "x"})
	require.NoError(t, err)
	require.JSONEq(t, `{"name":"c","type":"command","command":"x"}`, asJSON(t, s))
	var c component
	require.NoError(t, FromSpec(s, &c))
	require.Equal(t, "x", c.Command)
}

func TestDocuments(t *testing.T) {
	var b blobStore
	require.Nil(t, b.WireDocument().Raw())
	require.Empty(t, b.WireDocument().ID())
	require.NoError(t, FromREST([]byte(`{"id":"/d","properties":{"x":[1]}}`), &b))
	require.Equal(t, "/d", b.WireDocument().ID())
	raw := b.WireDocument().Raw()
	raw["properties"].(map[string]any)["x"] = nil
	require.NotNil(t, b.WireDocument().Raw()["properties"].(map[string]any)["x"], "a copy is given out")
	for _, s := range []string{"", "[]", "5", "{", `{} {}`} {
		require.Error(t, FromREST([]byte(s), &b), s)
	}
	require.Error(t, FromREST([]byte("{}"), b))
	require.Error(t, LoadYAML([]byte("a: b"), "", b, nil))
	require.NoError(t, Check(values{}))
}
