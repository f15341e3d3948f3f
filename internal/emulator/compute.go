package emulator

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/azureml-go/azureml/internal/emulator/arm"
	"github.com/azureml-go/azureml/internal/emulator/store"
	"github.com/azureml-go/azureml/internal/wire"
)

var computeKind = &kind{
	word: "compute", envelope: trackedFields, state: true, put: styleAsync, patch: styleAsync, del: styleBoth,
	check: checkCompute,
	frozen: func(old, doc document) error {
		return same(old, doc, "ComputeTypeChangeNotAllowed", "properties.computeType", "properties.resourceId", "properties.properties.vmSize")
	},
	after: func(c *call, ch *change) {
		c.s.jobs.ComputeChanged(c.sc, ch.id.Name())
		c.s.planCompute(c.sc, ch.id.String(), ch.doc)
	},
	removing: func(c *call, id arm.ID, old document) (func(context.Context) error, error) {
		switch a := c.query("underlyingResourceAction"); {
		case strings.EqualFold(a, "Detach"):
			if t := old.text("properties", "computeType"); t == "AmlCompute" || t == "ComputeInstance" {
				return nil, arm.BadRequest("UserError", "A compute of type %s cannot be detached; delete it.", t)
			}
		case a != "" && !strings.EqualFold(a, "Delete"):
			return nil, arm.Invalid("underlyingResourceAction", "The action %q is unknown: Delete or Detach.", a)
		}
		if busy, waiting := c.s.jobs.Load(c.sc, id.Name()); busy+waiting > 0 {
			return nil, arm.Conflict("ComputeInUse", "The compute %q has jobs that run or wait; cancel them first.", id.Name())
		}
		return nil, nil
	},
	removed: func(c *call, _ *sql.Tx, id arm.ID) error {
		c.s.jobs.ComputeGone(c.sc, id.Name())
		c.s.agenda.dropAll("power " + strings.ToLower(id.String()) + " ")
		return nil
	},
	show: showCompute,
}

func computeRoutes() []route {
	const typ = "workspaces/computes"
	one := pW + "/computes/{compute}"
	since := sinceWorkspaces
	return append(crud(computeKind, typ, "Compute", pW+"/computes", "compute", since),
		patched(computeKind, typ, "Compute", one, since),
		post(one+"/start", typ, "Compute_Start", since, styleAsync, func(c *call) error { return computeState(c, "Running", "Start", "Starting") }),
		post(one+"/stop", typ, "Compute_Stop", since, styleAsync, func(c *call) error { return computeState(c, "Stopped", "Stop", "Stopping") }),
		post(one+"/restart", typ, "Compute_Restart", since, styleAsync, func(c *call) error { return computeState(c, "Running", "Restart", "Restarting") }),
		post(one+"/listNodes", typ, "Compute_ListNodes", since, styleNone, listNodes),
		post(one+"/listKeys", typ, "Compute_ListKeys", since, styleNone, computeKeys),
		post(one+"/enableSso", typ, "Compute_EnableSso", since, styleNone, enableSSO),
		post(one+"/updateDataMounts", typ, "Compute_UpdateDataMounts", since, styleNone, func(*call) error {
			return arm.BadRequest("DataMountsNotSupported", "A local workspace does not mount data on compute instances.")
		}),
		post(one+"/resize", typ, "Compute_Resize", since, styleAsync, resizeCompute),
		read1(pLoc+"/vmSizes", "locations/vmSizes", "VirtualMachineSizes_List", since, listSizes),
		read1(pLoc+"/usages", "locations/usages", "Usages_List", since, listUsages),
		read1(pLoc+"/quotas", "locations/quotas", "Quotas_List", since, listQuotas),
		post(pLoc+"/updateQuotas", "locations/quotas", "Quotas_Update", since, styleNone, updateQuotas),
	)
}

var computeTypes = []string{"AKS", "Kubernetes", "AmlCompute", "ComputeInstance", "DataFactory", "VirtualMachine", "HDInsight", "Databricks", "DataLakeAnalytics", "SynapseSpark"}

// computeAtBirth is the document of a compute of the options.
func computeAtBirth(o Compute, now time.Time) document {
	inner := map[string]any{"vmSize": o.Size}
	d := document{"location": arm.Region, "properties": map[string]any{"computeType": "AmlCompute", "properties": inner}}
	if o.Instance {
		d.props()["computeType"] = "ComputeInstance"
	} else {
		inner["scaleSettings"] = map[string]any{"minNodeCount": 0, "maxNodeCount": o.Nodes, "nodeIdleTimeBeforeScaleDown": fmt.Sprintf("PT%dS", int(o.IdleTime.Seconds()))}
	}
	completeCompute(d, nil, now)
	d.props()["provisioningState"] = "Succeeded"
	return d
}

func checkCompute(c *call, ch *change) error {
	t, err := ch.doc.oneOf("properties.computeType", computeTypes...)
	if err != nil {
		return err
	}
	p := ch.doc.props()
	p["computeType"] = t
	switch t {
	case "AmlCompute":
		if err := ch.doc.missing("properties.properties.vmSize", "properties.properties.scaleSettings.maxNodeCount"); err != nil {
			return err
		}
		var scale struct {
			Properties struct {
				Properties struct {
					ScaleSettings struct{ MinNodeCount, MaxNodeCount int }
				}
			}
		}
		if err := ch.doc.into(&scale); err != nil {
			return err
		}
		if text := ch.doc.text("properties", "properties", "scaleSettings", "nodeIdleTimeBeforeScaleDown"); text != "" {
			if idle, err := wire.ParseDuration(text); err != nil || idle < 0 {
				return arm.Invalid("properties.properties.scaleSettings.nodeIdleTimeBeforeScaleDown", "%q is not an ISO 8601 duration such as PT120S.", text)
			}
		}
		if s := scale.Properties.Properties.ScaleSettings; s.MinNodeCount < 0 || s.MaxNodeCount < s.MinNodeCount {
			return arm.Invalid("properties.properties.scaleSettings", "The scale settings are impossible: from %d to %d nodes.", s.MinNodeCount, s.MaxNodeCount)
		}
	case "ComputeInstance":
		if err := ch.doc.missing("properties.properties.vmSize"); err != nil {
			return err
		}
		if err := checkPower(ch.doc); err != nil {
			return err
		}
	case "VirtualMachine", "Kubernetes", "SynapseSpark", "HDInsight", "DataFactory", "Databricks":
		if err := ch.doc.missing("properties.resourceId"); err != nil {
			return err
		}
	}
	if ch.doc["location"] == nil {
		ch.doc["location"] = arm.Region
	}
	if id := ch.doc.object("identity"); id != nil {
		identified(ch.doc, ch.id.String())
	}
	completeCompute(ch.doc, ch.old, c.now)
	return nil
}

// completeCompute adds what the service says. What is read-only comes from the old document, not from the caller.
func completeCompute(d, old document, now time.Time) {
	p := d.props()
	p["computeLocation"] = d["location"]
	p["createdOn"], p["modifiedOn"] = timestamp(now), timestamp(now)
	if at := old.at("properties", "createdOn"); at != nil {
		p["createdOn"] = at
	}
	t, _ := p["computeType"].(string)
	p["isAttachedCompute"] = t != "AmlCompute" && t != "ComputeInstance"
	p["provisioningErrors"] = nil
	if p["disableLocalAuth"] == nil {
		p["disableLocalAuth"] = false
	}
	inner, _ := p["properties"].(map[string]any)
	if inner == nil {
		return
	}
	if keys, ok := inner["adminAccount"].(map[string]any); ok {
		delete(keys, "adminUserPassword")
	}
	put := func(k string, v any) {
		if inner[k] == nil {
			inner[k] = v
		}
	}
	switch t {
	case "AmlCompute":
		put("osType", "Linux")
		put("vmPriority", "Dedicated")
		put("enableNodePublicIp", true)
		put("isolatedNetwork", false)
		put("remoteLoginPortPublicAccess", "NotSpecified")
		if s, ok := inner["scaleSettings"].(map[string]any); ok {
			if s["minNodeCount"] == nil {
				s["minNodeCount"] = 0
			}
			if s["nodeIdleTimeBeforeScaleDown"] == nil {
				s["nodeIdleTimeBeforeScaleDown"] = "PT120S"
			}
		}
	case "ComputeInstance":
		put("applicationSharingPolicy", "Shared")
		inner["state"] = "Running"
		if was := old.text("properties", "properties", "state"); was != "" {
			inner["state"] = was
		}
		inner["applications"], inner["errors"] = []any{}, []any{}
		inner["createdBy"] = map[string]any{"userName": callerName, "userId": arm.User, "userOrgId": arm.Tenant}
		inner["lastOperation"] = map[string]any{"operationName": "Create", "operationTime": timestamp(now), "operationStatus": "Succeeded", "operationTrigger": "User"}
		if op := old.at("properties", "properties", "lastOperation"); op != nil {
			inner["lastOperation"] = op
		}
	}
}

// showCompute says how busy a cluster is.
func showCompute(c *call, d document) (document, error) {
	inner := d.object("properties", "properties")
	if inner != nil && d.text("properties", "computeType") == "ComputeInstance" {
		if o := c.s.running(d.text("id")); o != nil && slices.Contains([]string{"Creating", "Starting", "Stopping", "Restarting", "Deleting"}, o.State) {
			inner["state"] = o.State
		} else if busy, _ := c.s.jobs.Load(c.sc, d.text("name")); busy > 0 && inner["state"] == "Running" {
			inner["state"] = "JobRunning"
		}
	}
	if inner == nil || d.text("properties", "computeType") != "AmlCompute" {
		return d, nil
	}
	showFleet(d, c.s.jobs.Fleet(c.sc, d.text("name"), scaleOf(d)))
	if o := c.s.running(d.text("id")); o != nil && (o.State == "Creating" || o.State == "Updating") {
		inner["allocationState"] = "Resizing"
	}
	return d, nil
}

// slots is how many nodes' worth of jobs a compute runs now; -1 of an instance that is stopped, whose jobs wait.
func (s *Server) slots(sc arm.Scope, name string) int {
	if strings.EqualFold(name, "serverless") || name == "" {
		return s.serverlessSlots
	}
	d, err := s.get(s.ctx, sc.Child(arm.Computes, name))
	if err != nil {
		if !errors.Is(err, store.ErrNotFound) && s.ctx.Err() == nil {
			s.opts.Logger.Error("a compute could not be read", "compute", name, "error", err)
		}
		return 0
	}
	switch d.text("properties", "computeType") {
	case "AmlCompute":
		return intOf(d.at("properties", "properties", "scaleSettings", "maxNodeCount"))
	case "ComputeInstance":
		if d.text("properties", "properties", "state") == "Running" {
			return 1
		}
		return -1
	case "Kubernetes", "VirtualMachine":
		return 1
	case "SynapseSpark":
		return s.serverlessSlots
	}
	return 0
}

// sparkPool is true of an attached Synapse Spark pool.
func (s *Server) sparkPool(sc arm.Scope, name string) bool {
	d, err := s.get(s.ctx, sc.Child(arm.Computes, name))
	return err == nil && d.text("properties", "computeType") == "SynapseSpark"
}

func intOf(v any) int {
	switch v := v.(type) {
	case interface{ Int64() (int64, error) }:
		n, err := v.Int64()
		if err != nil {
			return 0
		}
		return int(n)
	case int:
		return v
	case float64:
		return int(v)
	}
	return 0
}

func resizeCompute(c *call) error {
	var want struct{ TargetVMSize string }
	if err := c.into(&want); err != nil {
		return err
	}
	at := c.sc.Child(arm.Computes, c.v["compute"])
	d, err := c.find(at, "compute", c.v["compute"])
	if err != nil {
		return err
	}
	if d.text("properties", "computeType") != "ComputeInstance" || want.TargetVMSize == "" {
		return arm.BadRequest("UserError", "Only compute instances are resized, to a targetVMSize.")
	}
	d.object("properties", "properties")["vmSize"] = want.TargetVMSize
	return c.rewrite(at, d, "Updating", styleAsync, nil)
}

func computeKeys(c *call) error {
	d, err := c.find(c.sc.Child(arm.Computes, c.v["compute"]), "compute", c.v["compute"])
	if err != nil {
		return err
	}
	return arm.BadRequest("UserError", "A compute of type %s has no secrets here.", d.text("properties", "computeType"))
}

func enableSSO(c *call) error {
	var want struct{ EnableSSO *bool }
	if err := c.into(&want); err != nil {
		return err
	}
	if want.EnableSSO == nil {
		return arm.Invalid("enableSSO", "The field enableSSO is required.")
	}
	at := c.sc.Child(arm.Computes, c.v["compute"])
	d, err := c.find(at, "compute", c.v["compute"])
	if err != nil {
		return err
	}
	inner := d.object("properties", "properties")
	if inner == nil || d.text("properties", "computeType") != "ComputeInstance" {
		return arm.BadRequest("UserError", "Single sign-on is a compute instance's.")
	}
	inner["enableSSO"] = *want.EnableSSO
	if err := c.keep(at, d, nil); err != nil {
		return err
	}
	return c.empty(http.StatusOK)
}
