package rest

import (
	"fmt"
	"net/http"
	"runtime"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// userAgentPolicy names the module to the service: "[application ]azureml-go/VERSION (go1.26; linux)".
type userAgentPolicy struct{ value string }

func newUserAgentPolicy(o policy.TelemetryOptions) policy.Policy {
	if o.Disabled {
		return &userAgentPolicy{}
	}
	app := strings.ReplaceAll(o.ApplicationID, " ", "/")
	if len(app) > 24 { // azcore's limit
		app = app[:24]
	}
	if app != "" {
		app += " "
	}
	return &userAgentPolicy{value: fmt.Sprintf("%sazureml-go/%s (%s; %s)", app, Version, runtime.Version(), runtime.GOOS)}
}

func (p *userAgentPolicy) Do(req *policy.Request) (*http.Response, error) {
	if p.value != "" {
		v := p.value
		if own := req.Raw().Header.Get("User-Agent"); own != "" {
			v += " " + own
		}
		req.Raw().Header.Set("User-Agent", v)
	}
	return req.Next()
}
