package emulator

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// scheduleOf is a schedule's document.
func scheduleOf(trigger, job map[string]any) map[string]any {
	return map[string]any{"properties": map[string]any{"trigger": trigger, "action": map[string]any{"actionType": "CreateJob", "jobDefinition": job}}}
}

func cron(expression string, more ...string) map[string]any {
	t := map[string]any{"triggerType": "Cron", "expression": expression, "startTime": "2026-03-01T12:00:30"}
	for i := 0; i < len(more); i += 2 {
		t[more[i]] = more[i+1]
	}
	return t
}

func job(text string) map[string]any { return command(text)["properties"].(map[string]any) }

// started waits until a schedule has started so many jobs, sees that it stays so, and gives their names, the oldest first.
func (c *client) started(schedule string, n int) []string {
	c.t.Helper()
	var names []string
	look := func() int {
		names = nil
		for _, v := range c.do("GET", at("jobs")+"&scheduled=true&scheduleId="+schedule, nil).want(200).doc()["value"].([]any) {
			names = append(names, document(v.(map[string]any)).text("name"))
		}
		slices.Reverse(names)
		return len(names)
	}
	require.Eventually(c.t, func() bool { return look() >= n }, 20*time.Second, 5*time.Millisecond, "%s: %d jobs are wanted: %v", schedule, n, names)
	time.Sleep(3 * lookMoved) // what should not come has had the time to
	require.Equal(c.t, n, look(), "%s: %v", schedule, names)
	return names
}

func TestScheduleFires(t *testing.T) {
	needShell(t)
	t.Parallel()
	clk, dir := newClock(), t.TempDir() // Sunday, 2026-03-01 12:00:00
	s := open(t, Options{Dir: dir, Clock: clk.Now})
	c := inside(t, s)
	def := job("echo ${{inputs.when}} in ${{inputs.who}}")
	def["inputs"] = map[string]any{"when": map[string]any{"jobInputType": "literal", "value": "${{creation_context.trigger_time}}"}, "who": map[string]any{"jobInputType": "literal", "value": "${{name}}"}}
	c.do("PUT", at("schedules", "hourly"), scheduleOf(cron("15 * * * *"), def)).want(201)
	c.started("hourly", 0)
	clk.Move(14 * time.Minute)
	c.started("hourly", 0)
	clk.Move(time.Minute)
	names := c.started("hourly", 1)
	require.Equal(t, []string{"hourly-20260301T121500Z"}, names)
	d := c.ended(names[0])
	require.Equal(t, "Completed", d.text("properties", "status"))
	require.Equal(t, "hourly-20260301T121500Z", d.text("properties", "displayName"))
	require.Equal(t, "hourly", d.text("properties", "properties", "azureml.scheduleid"))
	require.Equal(t, "exp", d.text("properties", "experimentName"))
	require.Equal(t, "2026-03-01T12:15:00Z", d.text("properties", "inputs", "when", "value"))
	require.Equal(t, names[0], d.text("properties", "inputs", "who", "value"))

	// A jump over three ticks is one job, for the last of them.
	clk.Move(3*time.Hour + time.Minute)
	require.Equal(t, "hourly-20260301T151500Z", c.started("hourly", 2)[1])

	// Ticks while the workspace is closed are missed; the next one comes.
	require.NoError(t, s.Close())
	clk.Move(2 * time.Hour) // 17:16
	s = open(t, Options{Dir: dir, Clock: clk.Now})
	c = inside(t, s)
	c.started("hourly", 2)
	clk.Move(time.Hour)
	require.Equal(t, "hourly-20260301T181500Z", c.started("hourly", 3)[2])

	// Disabled it does nothing, but for a caller who wants it to.
	off := scheduleOf(cron("15 * * * *"), def)
	off["properties"].(map[string]any)["isEnabled"] = false
	c.do("PUT", at("schedules", "hourly"), off).want(200)
	clk.Move(24 * time.Hour)
	c.started("hourly", 3)
	trigger := strings.Replace(at("schedules", "hourly", "trigger"), version, "?api-version=2024-01-01-preview", 1)
	r := c.do("POST", trigger, map[string]any{"scheduleTime": "2026-03-02T09:30:00.000000+01:00"}).want(200).doc()
	require.Equal(t, []string{"hourly-20260302T083000Z", "hourly-20260302T083000Z"}, []string{r.text("submissionId"), r.text("jobName")})
	require.Equal(t, "CreateJob", r.text("scheduleActionType"))
	r = c.do("POST", trigger, map[string]any{"scheduleTime": "2026-03-02T08:30:00Z"}).want(200).doc()
	require.Equal(t, "hourly-20260302T083000Z-2", r.text("jobName"), "a name is used once")
	r = c.do("POST", trigger, map[string]any{"scheduleTime": time.Now().UTC().Format("2006-01-02T15:04:05.000000+00:00")}).want(200).doc()
	require.Equal(t, "hourly-"+clk.Now().Format("20060102T150405Z"), r.text("jobName"), "a client's now is the workspace's")
	c.started("hourly", 6)

	// Enabled again it goes on with its next tick.
	c.do("PUT", at("schedules", "hourly"), scheduleOf(cron("15 * * * *"), def)).want(200)
	c.started("hourly", 6)
	clk.Move(time.Hour)
	c.started("hourly", 7)
	c.do("DELETE", at("schedules", "hourly"), nil).want(200)
	clk.Move(3 * time.Hour)
	c.started("hourly", 7)
	c.do("POST", trigger, nil).want(404)
}

func TestScheduleWithoutAStartRunsAtOnce(t *testing.T) {
	needShell(t)
	t.Parallel()
	clk := newClock()
	c := inside(t, open(t, Options{Clock: clk.Now}))
	every := map[string]any{"triggerType": "Recurrence", "frequency": "Day", "interval": 1, "schedule": map[string]any{"hours": []int{6}, "minutes": []int{0}}, "timeZone": "W. Europe Standard Time", "endTime": "2026-03-03T06:00:00"}
	c.do("PUT", at("schedules", "mornings"), scheduleOf(every, job("true"))).want(201)
	require.Equal(t, []string{"mornings-20260301T120000Z"}, c.started("mornings", 1))
	every["interval"] = 2 // a change does not run it
	c.do("PUT", at("schedules", "mornings"), scheduleOf(every, job("true"))).want(200)
	every["interval"] = 1
	c.do("PUT", at("schedules", "mornings"), scheduleOf(every, job("true"))).want(200)
	c.started("mornings", 1)
	clk.Move(17 * time.Hour) // 05:00 UTC
	require.Equal(t, "mornings-20260302T050000Z", c.started("mornings", 2)[1])
	clk.Move(24 * time.Hour)
	c.started("mornings", 3)
	clk.Move(24 * time.Hour)
	c.started("mornings", 3) // it is over
}

func TestScheduleOfAJobThatHasRun(t *testing.T) {
	needShell(t)
	t.Parallel()
	clk := newClock()
	c := outside(t, open(t, Options{Clock: clk.Now}))
	first := command("echo ${{inputs.a}} ${{inputs.b}}")
	lit := func(v string) map[string]any { return map[string]any{"jobInputType": "literal", "value": v} }
	first["properties"].(map[string]any)["inputs"] = map[string]any{"a": lit("1"), "b": lit("2")}
	c.do("PUT", at("jobs", "first"), first).want(201)
	c.ended("first")
	def := map[string]any{"jobType": "Pipeline", "sourceJobId": DefaultScope.Child("jobs", "first"), "experimentName": "", "isArchived": false, "inputs": map[string]any{"b": lit("3")}}
	c.do("PUT", at("schedules", "again"), scheduleOf(cron("* * * * *"), def)).want(201)
	clk.Move(time.Minute)
	d := c.ended(c.started("again", 1)[0])
	require.Equal(t, "Completed", d.text("properties", "status"))
	require.Equal(t, "Command", d.text("properties", "jobType"))
	require.Equal(t, []any{"1", "3", "exp"}, []any{d.at("properties", "inputs", "a", "value"), d.at("properties", "inputs", "b", "value"), d.at("properties", "experimentName")})

	// What cannot be started is a job that failed and says why.
	def["sourceJobId"] = "gone"
	c.do("PUT", at("schedules", "lost"), scheduleOf(cron("* * * * *"), def)).want(201)
	clk.Move(time.Minute)
	for schedule, why := range map[string]string{"lost": `There is no job "gone" to run again`} {
		name := c.started(schedule, 1)[0]
		require.Equal(t, "Failed", c.ended(name).text("properties", "status"))
		details := c.do("GET", "/history/v1.0"+DefaultScope.ID()+"/runs/"+name+"/details", nil).want(200).doc()
		require.Contains(t, details.text("error", "error", "message"), why)
	}
}

func TestScheduleRefusals(t *testing.T) {
	t.Parallel()
	c := inside(t, open(t, Options{}))
	for want, s := range map[string]map[string]any{
		"properties.trigger.expression": scheduleOf(cron("* * *"), job("true")),
		"properties.trigger.timeZone":   scheduleOf(cron("* * * * *", "timeZone", "Nowhere"), job("true")),
		"properties.trigger.startTime":  scheduleOf(cron("* * * * *", "startTime", "soon"), job("true")),
		"properties.trigger.interval":   scheduleOf(map[string]any{"triggerType": "Recurrence", "frequency": "Day"}, job("true")),
		"reaches no databases":          {"properties": map[string]any{"trigger": cron("* * * * *"), "action": map[string]any{"actionType": "ImportData", "dataImportDefinition": map[string]any{}}}},
	} {
		require.Contains(t, string(c.do("PUT", at("schedules", "bad"), s).want(400).body), want)
	}
	c.do("GET", at("schedules", "bad"), nil).want(404)
}

// Those who trigger a schedule in the same second have a job each.
func TestTriggersOfOneSecond(t *testing.T) {
	needShell(t)
	t.Parallel()
	clk := newClock()
	s := open(t, Options{Dir: t.TempDir(), Clock: clk.Now})
	c := inside(t, s)
	c.do("PUT", at("schedules", "hourly"), scheduleOf(cron("15 * * * *"), job("true"))).want(201)
	trigger := strings.Replace(at("schedules", "hourly", "trigger"), version, "?api-version=2024-01-01-preview", 1)
	statuses := make(chan int, 4)
	for range cap(statuses) {
		go func() {
			res, err := c.send(c.request("POST", trigger, map[string]any{"scheduleTime": "2026-03-02T08:30:00Z"}))
			if err != nil {
				statuses <- 0
				return
			}
			statuses <- res.StatusCode
			_ = res.Body.Close() // it was not read
		}()
	}
	for range cap(statuses) {
		require.Equal(t, 200, <-statuses)
	}
	for _, n := range c.started("hourly", 4) {
		c.ended(n)
	}
}
