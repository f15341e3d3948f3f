package emulator

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func (c *client) compute(name string) map[string]any {
	c.t.Helper()
	return c.do("GET", at("computes", name), nil).want(200).doc().object("properties", "properties")
}

// becomes waits for a compute's state.
func (c *client) becomes(name, state string) map[string]any {
	c.t.Helper()
	var d map[string]any
	require.Eventually(c.t, func() bool { d = c.compute(name); return d["state"] == state }, 20*time.Second, 5*time.Millisecond, "%s: %s: %v", name, state, d)
	return d
}

func (c *client) status(job string) string {
	c.t.Helper()
	return c.do("GET", at("jobs", job), nil).want(200).doc().text("properties", "status")
}

func on(compute, text string) map[string]any {
	d := command(text)
	d["properties"].(map[string]any)["computeId"] = DefaultScope.Child("computes", compute)
	return d
}

func TestClusterGrowsAndShrinks(t *testing.T) {
	needShell(t)
	t.Parallel()
	clk := newClock()
	c := inside(t, open(t, Options{Clock: clk.Now}))
	c.do("PUT", at("computes", "big"), map[string]any{"location": "eastus", "properties": map[string]any{"computeType": "AmlCompute", "properties": map[string]any{
		"vmSize": "STANDARD_DS3_V2", "scaleSettings": map[string]any{"minNodeCount": 1, "maxNodeCount": 3, "nodeIdleTimeBeforeScaleDown": "PT5M"}}}}).want(201)
	counts := func() [3]int { // nodes, running, idle
		d := document(c.compute("big"))
		require.Equal(t, "Steady", d.text("allocationState"))
		require.Equal(t, d["currentNodeCount"], d["targetNodeCount"])
		return [3]int{intOf(d["currentNodeCount"]), intOf(d.at("nodeStateCounts", "runningNodeCount")), intOf(d.at("nodeStateCounts", "idleNodeCount"))}
	}
	require.Equal(t, [3]int{1, 0, 1}, counts())
	wide := on("big", "sleep 60")
	wide["properties"].(map[string]any)["resources"] = map[string]any{"instanceCount": 2}
	c.do("PUT", at("jobs", "wide"), wide).want(201)
	c.do("PUT", at("jobs", "narrow"), on("big", "sleep 60")).want(201)
	c.do("PUT", at("jobs", "late"), on("big", "sleep 60")).want(201)
	require.Eventually(t, func() bool { return c.status("wide") == "Running" && c.status("narrow") == "Running" }, 20*time.Second, 5*time.Millisecond)
	require.Eventually(t, func() bool { return c.status("late") == "Queued" }, 20*time.Second, 5*time.Millisecond)
	require.Equal(t, [3]int{3, 3, 0}, counts())
	runs, ids := []string{}, map[string]bool{}
	for _, v := range c.do("POST", at("computes", "big", "listNodes"), nil).want(200).doc()["nodes"].([]any) {
		n := document(v.(map[string]any))
		require.Equal(t, "running", n.text("nodeState"))
		runs = append(runs, n.text("runId"))
		ids[n.text("nodeId")] = true
	}
	slices.Sort(runs)
	require.Equal(t, []string{"narrow", "wide", "wide"}, runs)
	require.Len(t, ids, 3)
	for _, n := range []string{"late", "wide", "narrow"} {
		c.do("POST", at("jobs", n, "cancel"), nil).want(200)
		c.ended(n)
	}
	require.Equal(t, [3]int{3, 0, 3}, counts())
	clk.Move(5*time.Minute - time.Second)
	require.Equal(t, [3]int{3, 0, 3}, counts())
	clk.Move(time.Second)
	require.Equal(t, [3]int{1, 0, 1}, counts(), "down to the minimum")
	c.do("PATCH", at("computes", "big"), map[string]any{"properties": map[string]any{"properties": map[string]any{"scaleSettings": map[string]any{"minNodeCount": 2, "maxNodeCount": 2}}}}).want(200)
	require.Equal(t, [3]int{2, 0, 2}, counts())
	require.Contains(t, string(c.do("PUT", at("jobs", "wider"), func() map[string]any {
		wide["properties"].(map[string]any)["resources"] = map[string]any{"instanceCount": 3}
		return wide
	}()).want(400).body), "3 nodes are asked for")
}

func instance(more map[string]any) map[string]any {
	p := map[string]any{"vmSize": "STANDARD_DS3_V2"}
	for k, v := range more {
		p[k] = v
	}
	return map[string]any{"location": "eastus", "properties": map[string]any{"computeType": "ComputeInstance", "properties": p}}
}

func TestClusterMadeSmallerUnderItsJobs(t *testing.T) {
	needShell(t)
	t.Parallel()
	clk := newClock()
	c := inside(t, open(t, Options{Clock: clk.Now}))
	sized := func(most int) map[string]any {
		return map[string]any{"location": "eastus", "properties": map[string]any{"computeType": "AmlCompute", "properties": map[string]any{"vmSize": "STANDARD_DS3_V2", "scaleSettings": map[string]any{"minNodeCount": 0, "maxNodeCount": most}}}}
	}
	c.do("PUT", at("computes", "big"), sized(2)).want(201)
	for _, n := range []string{"a", "b"} {
		c.do("PUT", at("jobs", n), on("big", "sleep 60")).want(201)
		require.Eventually(t, func() bool { return c.status(n) == "Running" }, 20*time.Second, 5*time.Millisecond)
	}
	c.do("PUT", at("computes", "big"), sized(1)).want(200)
	c.do("PUT", at("jobs", "c"), on("big", "true")).want(201)
	d := document(c.compute("big"))
	require.Equal(t, []any{2, 1, "Resizing"}, []any{intOf(d["currentNodeCount"]), intOf(d["targetNodeCount"]), d.text("allocationState")})
	for i, n := range []string{"a", "b"} {
		require.Eventually(t, func() bool { return c.status("c") == "Queued" }, 20*time.Second, 5*time.Millisecond, "there is room for one, and %d run", 2-i)
		c.do("POST", at("jobs", n, "cancel"), nil)
		require.Equal(t, "Canceled", c.ended(n).text("properties", "status"))
	}
	require.Equal(t, "Completed", c.ended("c").text("properties", "status"))
	d = document(c.compute("big"))
	require.Equal(t, []any{1, 1, "Steady"}, []any{intOf(d["currentNodeCount"]), intOf(d["targetNodeCount"]), d.text("allocationState")})
}

func TestInstanceStopsWhenIdle(t *testing.T) {
	needShell(t)
	t.Parallel()
	clk, dir := newClock(), t.TempDir()
	s := open(t, Options{Dir: dir, Clock: clk.Now})
	c := inside(t, s)
	require.Contains(t, string(c.do("PUT", at("computes", "mine"), instance(map[string]any{"idleTimeBeforeShutdown": "PT5M"})).want(400).body), "15 minutes")
	c.do("PUT", at("computes", "mine"), instance(map[string]any{"idleTimeBeforeShutdown": "PT30M"})).want(201)
	c.becomes("mine", "Running")
	c.do("PUT", at("jobs", "long"), on("mine", "sleep 60")).want(201)
	require.Eventually(t, func() bool { return c.status("long") == "Running" }, 20*time.Second, 5*time.Millisecond)
	c.becomes("mine", "JobRunning")
	clk.Move(2 * time.Hour)
	time.Sleep(3 * lookMoved)
	c.becomes("mine", "JobRunning")
	c.do("POST", at("jobs", "long", "cancel"), nil).want(200)
	c.ended("long")
	clk.Move(29 * time.Minute)
	time.Sleep(3 * lookMoved)
	c.becomes("mine", "Running")
	clk.Move(time.Minute)
	last := c.becomes("mine", "Stopped")["lastOperation"].(map[string]any)
	require.Equal(t, []any{"Stop", "IdleShutdown", "Succeeded"}, []any{last["operationName"], last["operationTrigger"], last["operationStatus"]})

	// A job waits for an instance that is stopped, also over a restart of the workspace.
	c.do("PUT", at("jobs", "waits"), on("mine", "echo up")).want(201)
	require.Eventually(t, func() bool { return c.status("waits") == "Queued" }, 20*time.Second, 5*time.Millisecond)
	require.NoError(t, s.Close())
	c = inside(t, open(t, Options{Dir: dir, Clock: clk.Now}))
	require.Eventually(t, func() bool { return c.status("waits") == "Queued" }, 20*time.Second, 5*time.Millisecond)
	c.do("POST", at("computes", "mine", "start"), nil).want(202)
	require.Equal(t, "Completed", c.ended("waits").text("properties", "status"))
	require.Equal(t, "StartComputeInstanceOnlyAllowedInStoppedState", c.do("POST", at("computes", "mine", "start"), nil).want(400).code())

	// Who stops it ends what runs on it.
	c.do("PUT", at("jobs", "cut"), on("mine", "sleep 60")).want(201)
	require.Eventually(t, func() bool { return c.status("cut") == "Running" }, 20*time.Second, 5*time.Millisecond)
	c.do("POST", at("computes", "mine", "stop"), nil).want(202)
	require.Equal(t, "Canceled", c.ended("cut").text("properties", "status"))
	c.do("POST", at("computes", "mine", "restart"), nil).want(400)
	c.do("POST", at("computes", "mine", "listNodes"), nil).want(400)
}

func TestInstanceBySchedule(t *testing.T) {
	t.Parallel()
	clk, dir := newClock(), t.TempDir() // Sunday, noon
	s := open(t, Options{Dir: dir, Clock: clk.Now})
	c := inside(t, s)
	d := c.do("PUT", at("computes", "mine"), instance(map[string]any{"schedules": map[string]any{"computeStartStop": []any{
		map[string]any{"action": "Stop", "triggerType": "Cron", "cron": map[string]any{"expression": "0 18 * * *", "timeZone": "UTC"}, "status": "Enabled"},
		map[string]any{"action": "Start", "triggerType": "Recurrence", "recurrence": map[string]any{"frequency": "Week", "interval": 1, "timeZone": "Eastern Standard Time",
			"schedule": map[string]any{"hours": []int{8}, "minutes": []int{0}, "weekDays": []string{"Monday", "Tuesday"}}}},
		map[string]any{"action": "Stop", "triggerType": "Cron", "cron": map[string]any{"expression": "0 14 * * *"}, "status": "Disabled"},
	}}})).want(201).doc()
	list := d.at("properties", "properties", "schedules", "computeStartStop").([]any)
	require.Equal(t, "Completed", list[0].(map[string]any)["provisioningStatus"])
	require.NotEmpty(t, list[0].(map[string]any)["id"])
	clk.Move(3 * time.Hour)
	time.Sleep(3 * lookMoved)
	c.becomes("mine", "Running")
	clk.Move(3 * time.Hour)
	last := c.becomes("mine", "Stopped")["lastOperation"].(map[string]any)
	require.Equal(t, "Schedule", last["operationTrigger"])
	require.NoError(t, s.Close())
	c = inside(t, open(t, Options{Dir: dir, Clock: clk.Now}))
	clk.Move(18 * time.Hour) // Monday, 12:00 UTC, 07:00 in New York
	time.Sleep(3 * lookMoved)
	c.becomes("mine", "Stopped")
	clk.Move(time.Hour)
	c.becomes("mine", "Running")
	require.Contains(t, string(c.do("PUT", at("computes", "bad"), instance(map[string]any{"schedules": map[string]any{"computeStartStop": []any{
		map[string]any{"action": "Stop", "triggerType": "Cron", "cron": map[string]any{"expression": "x"}}}}})).want(400).body), "computeStartStop[0].expression")
}
