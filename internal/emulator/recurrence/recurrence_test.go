package recurrence

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func parsed(t require.TestingT, text string) *Trigger {
	tr, err := Parse(json.RawMessage(text))
	require.NoError(t, err, text)
	return tr
}

func at(t require.TestingT, text string) time.Time {
	v, err := time.Parse(time.RFC3339, text)
	require.NoError(t, err)
	return v
}

// ticks are the next n after a time.
func ticks(tr *Trigger, after, made time.Time, n int) []string {
	out := []string{}
	for range n {
		next, ok := tr.Next(after, made)
		if !ok {
			break
		}
		out = append(out, next.Format(time.RFC3339))
		after = next
	}
	return out
}

func TestNext(t *testing.T) {
	t.Parallel()
	const made = "2024-01-10T09:20:30Z" // a Wednesday
	for name, c := range map[string]struct {
		trigger, after string
		want           []string
	}{
		"cron":       {`{"triggerType":"Cron","expression":"15 10 * * 1"}`, made, []string{"2024-01-15T10:15:00Z", "2024-01-22T10:15:00Z"}},
		"cron steps": {`{"triggerType":"Cron","expression":"*/20 9-10 * * MON-FRI"}`, made, []string{"2024-01-10T09:40:00Z", "2024-01-10T10:00:00Z", "2024-01-10T10:20:00Z", "2024-01-10T10:40:00Z", "2024-01-11T09:00:00Z"}},
		"cron list":  {`{"triggerType":"Cron","expression":"0 8,16 * * 0,SAT"}`, made, []string{"2024-01-13T08:00:00Z", "2024-01-13T16:00:00Z", "2024-01-14T08:00:00Z"}},
		"cron's days and months are of no account": {`{"triggerType":"Cron","expression":"0 0 1 6 *"}`, made, []string{"2024-01-11T00:00:00Z", "2024-01-12T00:00:00Z"}},
		"cron in a zone":                       {`{"triggerType":"Cron","expression":"0 3 * * *","timeZone":"W. Europe Standard Time"}`, made, []string{"2024-01-11T02:00:00Z"}},
		"cron from a start":                    {`{"triggerType":"Cron","expression":"0 3 * * *","startTime":"2024-02-01T03:00:00"}`, made, []string{"2024-02-01T03:00:00Z", "2024-02-02T03:00:00Z"}},
		"cron to an end":                       {`{"triggerType":"Cron","expression":"0 3 * * *","startTime":"2024-02-01 02:00:00","endTime":"2024-02-02T03:00:00"}`, made, []string{"2024-02-01T03:00:00Z", "2024-02-02T03:00:00Z"}},
		"cron: the hour that is skipped":       {`{"triggerType":"Cron","expression":"30 2 * * *","timeZone":"America/New_York"}`, "2024-03-09T12:00:00Z", []string{"2024-03-10T07:30:00Z", "2024-03-11T06:30:00Z"}},
		"cron: from just before what is later": {`{"triggerType":"Cron","expression":"30 2 * * *","timeZone":"W. Europe Standard Time"}`, "2026-03-29T01:29:59.999Z", []string{"2026-03-29T01:30:00Z", "2026-03-30T00:30:00Z"}},
		"cron: the hour that comes twice":      {`{"triggerType":"Cron","expression":"30 1 * * *","timeZone":"Eastern Standard Time"}`, "2024-11-02T12:00:00Z", []string{"2024-11-03T05:30:00Z", "2024-11-04T06:30:00Z"}},
		"cron each half hour, skipped":         {`{"triggerType":"Cron","expression":"*/30 * * * *","timeZone":"America/New_York"}`, "2024-03-10T06:00:00Z", []string{"2024-03-10T06:30:00Z", "2024-03-10T07:00:00Z", "2024-03-10T07:30:00Z"}},
		"cron each half hour, twice":           {`{"triggerType":"Cron","expression":"*/30 * * * *","timeZone":"America/New_York"}`, "2024-11-03T05:00:00Z", []string{"2024-11-03T05:30:00Z", "2024-11-03T06:00:00Z", "2024-11-03T06:30:00Z", "2024-11-03T07:00:00Z", "2024-11-03T07:30:00Z"}},
		"cron: half an hour of summer time":    {`{"triggerType":"Cron","expression":"15 2 * * *","timeZone":"Australia/Lord_Howe"}`, "2024-10-05T00:00:00Z", []string{"2024-10-05T15:45:00Z", "2024-10-06T15:15:00Z"}},
		"minutes":                              {`{"triggerType":"Recurrence","frequency":"minute","interval":15}`, made, []string{"2024-01-10T09:35:30Z", "2024-01-10T09:50:30Z"}},
		"minutes from a start in the past":     {`{"triggerType":"Recurrence","frequency":"Minute","interval":15,"startTime":"2020-01-01T00:05:00"}`, made, []string{"2024-01-10T09:35:00Z"}},
		"hours over the change of clocks":      {`{"triggerType":"Recurrence","frequency":"Hour","interval":6,"startTime":"2024-03-09T18:00:00","timeZone":"America/New_York"}`, made, []string{"2024-03-09T23:00:00Z", "2024-03-10T05:00:00Z", "2024-03-10T11:00:00Z"}},
		"hours at minutes":                     {`{"triggerType":"Recurrence","frequency":"Hour","interval":2,"schedule":{"hours":[],"minutes":[0,30]}}`, made, []string{"2024-01-10T09:30:00Z", "2024-01-10T11:00:00Z", "2024-01-10T11:30:00Z"}},
		"hours in the office":                  {`{"triggerType":"Recurrence","frequency":"Hour","interval":1,"startTime":"2024-01-10T08:10:00","schedule":{"hours":[9,17],"minutes":[]}}`, made, []string{"2024-01-10T17:10:00Z", "2024-01-11T09:10:00Z"}},
		"days":                                 {`{"triggerType":"Recurrence","frequency":"Day","interval":2}`, made, []string{"2024-01-12T09:20:30Z", "2024-01-14T09:20:30Z"}},
		"days with hours":                      {`{"triggerType":"Recurrence","frequency":"Day","interval":1,"schedule":{"hours":[6,18],"minutes":[0,30]}}`, made, []string{"2024-01-10T18:00:00Z", "2024-01-10T18:30:00Z", "2024-01-11T06:00:00Z"}},
		"days over the change of clocks":       {`{"triggerType":"Recurrence","frequency":"Day","interval":1,"startTime":"2024-03-09T02:30:00","timeZone":"America/New_York"}`, made, []string{"2024-03-09T07:30:00Z", "2024-03-10T07:30:00Z", "2024-03-11T06:30:00Z"}},
		"empty pattern":                        {`{"triggerType":"Recurrence","frequency":"Day","interval":1,"schedule":{"hours":[],"minutes":[]}}`, made, []string{"2024-01-11T09:20:30Z"}},
		"weeks":                                {`{"triggerType":"Recurrence","frequency":"Week","interval":1}`, made, []string{"2024-01-17T09:20:30Z"}},
		"every second week":                    {`{"triggerType":"Recurrence","frequency":"Week","interval":2,"schedule":{"hours":[6],"minutes":[15],"weekDays":["Monday","friday"]},"timeZone":"W. Europe Standard Time"}`, made, []string{"2024-01-12T05:15:00Z", "2024-01-22T05:15:00Z", "2024-01-26T05:15:00Z"}},
		"months":                               {`{"triggerType":"Recurrence","frequency":"Month","interval":1,"startTime":"2024-01-31T08:00:00"}`, made, []string{"2024-01-31T08:00:00Z", "2024-03-31T08:00:00Z", "2024-05-31T08:00:00Z"}},
		"days of the month":                    {`{"triggerType":"Recurrence","frequency":"Month","interval":1,"schedule":{"hours":[4],"minutes":[0],"monthDays":[15,-1]}}`, made, []string{"2024-01-15T04:00:00Z", "2024-01-31T04:00:00Z", "2024-02-15T04:00:00Z", "2024-02-29T04:00:00Z"}},
		"29 February":                          {`{"triggerType":"Recurrence","frequency":"Month","interval":12,"startTime":"2024-02-29T00:00:00"}`, "2024-03-01T00:00:00Z", []string{"2028-02-29T00:00:00Z"}},
		"never":                                {`{"triggerType":"Recurrence","frequency":"Minute","interval":60,"startTime":"2024-01-01T00:05:00","schedule":{"hours":[],"minutes":[7]}}`, made, []string{}},
		"an end in the past":                   {`{"triggerType":"Recurrence","frequency":"Minute","interval":1,"endTime":"2024-01-10T00:00:00"}`, made, []string{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, ticks(parsed(t, c.trigger), at(t, c.after), at(t, made), max(len(c.want), 1)))
		})
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	for text, field := range map[string]string{
		`{"triggerType":"Cron","expression":"* * * *"}`:                                                                     "expression",
		`{"triggerType":"Cron","expression":"61 * * * *"}`:                                                                  "expression",
		`{"triggerType":"Cron","expression":"@daily x x x x"}`:                                                              "expression",
		`{"triggerType":"Cron","expression":"0 0 * * *","timeZone":"Middle-earth"}`:                                         "timeZone",
		`{"triggerType":"Cron","expression":"0 0 * * *","startTime":"tomorrow"}`:                                            "startTime",
		`{"triggerType":"Cron","expression":"0 0 * * *","startTime":"2024-01-02T00:00:00","endTime":"2024-01-01T00:00:00"}`: "endTime",
		`{"triggerType":"Moon"}`: "triggerType",
		`{"triggerType":"Recurrence","frequency":"Year","interval":1}`:                                    "frequency",
		`{"triggerType":"Recurrence","frequency":"Day","interval":0}`:                                     "interval",
		`{"triggerType":"Recurrence","frequency":"Day","interval":1,"schedule":{"hours":[24]}}`:           "schedule.hours",
		`{"triggerType":"Recurrence","frequency":"Day","interval":1,"schedule":{"weekDays":["Someday"]}}`: "schedule.weekDays",
		`{"triggerType":"Recurrence","frequency":"Month","interval":1,"schedule":{"monthDays":[0]}}`:      "schedule.monthDays",
	} {
		_, err := Parse(json.RawMessage(text))
		f, ok := errors.AsType[*Error](err)
		require.True(t, ok, "%s: %v", text, err)
		require.Equal(t, field, f.Field, text)
	}
}

func TestZones(t *testing.T) {
	t.Parallel()
	for name := range windows {
		_, err := Zone(name)
		require.NoError(t, err, name)
	}
	for _, name := range []string{"", "UTC", "Pacific Standard Time", "AUS EASTERN STANDARD TIME", "Europe/Berlin", "UTC-11"} {
		_, err := Zone(name)
		require.NoError(t, err, name)
	}
}

// Ticks go forward, and asking from a tick or from just before it gives the same sequence.
func TestOrder(t *testing.T) {
	t.Parallel()
	zones := []string{"", "Eastern Standard Time", "Australia/Lord_Howe", "Asia/Kathmandu", "Morocco Standard Time", "Africa/Cairo"}
	triggers := []string{
		`"triggerType":"Cron","expression":"*/7 * * * *"`, `"triggerType":"Cron","expression":"30 1,2 * * *"`, `"triggerType":"Cron","expression":"0 */5 * * 0"`,
		`"triggerType":"Recurrence","frequency":"Minute","interval":13`, `"triggerType":"Recurrence","frequency":"Hour","interval":5,"schedule":{"minutes":[1,59]}`,
		`"triggerType":"Recurrence","frequency":"Day","interval":1,"schedule":{"hours":[1,2,3],"minutes":[30]}`, `"triggerType":"Recurrence","frequency":"Week","interval":3`,
		`"triggerType":"Recurrence","frequency":"Month","interval":2,"schedule":{"monthDays":[-1,30]}`,
	}
	rapid.Check(t, func(rt *rapid.T) {
		tr := parsed(rt, `{"timeZone":"`+rapid.SampledFrom(zones).Draw(rt, "zone")+`",`+rapid.SampledFrom(triggers).Draw(rt, "trigger")+`}`)
		made := time.Unix(rapid.Int64Range(1_700_000_000, 1_800_000_000).Draw(rt, "made"), 0)
		now := made.Add(time.Duration(rapid.Int64Range(0, int64(400*24*time.Hour)).Draw(rt, "later")))
		first, ok := tr.Next(now, made)
		require.True(rt, ok)
		require.True(rt, first.After(now))
		before, ok := tr.Next(first.Add(-time.Nanosecond), made)
		require.True(rt, ok)
		require.Equal(rt, first, before)
		half, ok := tr.Next(now.Add(first.Sub(now)/2), made)
		require.True(rt, ok)
		require.Equal(rt, first, half)
		second, ok := tr.Next(first, made)
		require.True(rt, ok)
		require.True(rt, second.After(first))
	})
}

func FuzzParse(f *testing.F) {
	f.Add(`{"triggerType":"Cron","expression":"*/7 * * * *","timeZone":"Europe/Berlin"}`)
	f.Add(`{"triggerType":"Recurrence","frequency":"Month","interval":2,"schedule":{"monthDays":[-1,30]},"startTime":"2024-02-30T25:00:00"}`)
	f.Fuzz(func(t *testing.T, text string) {
		tr, err := Parse(json.RawMessage(text))
		if err != nil {
			return
		}
		now := time.Unix(1_700_000_000, 0)
		if next, ok := tr.Next(now, now); ok && !next.After(now) {
			t.Fatalf("%s: the next time %s is not after %s", text, next, now)
		}
	})
}
