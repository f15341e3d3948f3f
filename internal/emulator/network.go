package emulator

import (
	"net/http"

	"github.com/azureml-go/azureml/internal/emulator/arm"
)

// Networks have no meaning on one machine: rules and connections are kept as documents.

var ruleKind = &kind{
	word: "outbound rule", put: styleLocation, del: styleLocation,
	check: func(_ *call, ch *change) error {
		t, err := ch.doc.oneOf("properties.type", "FQDN", "ServiceTag", "PrivateEndpoint")
		if err != nil {
			return err
		}
		if err := ch.doc.missing("properties.destination"); err != nil {
			return err
		}
		p := ch.doc.props()
		p["type"] = t
		if p["category"] == nil {
			p["category"] = "UserDefined"
		}
		p["status"] = "Inactive" // no managed network is made
		return nil
	},
}

var privateConnectionKind = &kind{
	word: "private endpoint connection", plainOK: true, envelope: trackedFields, state: true,
	check: func(_ *call, ch *change) error {
		return ch.doc.missing("properties.privateLinkServiceConnectionState")
	},
}

var capabilityHostKind = &kind{
	word: "capability host", state: true, put: styleAsync, del: styleLocation,
	check: func(_ *call, ch *change) error {
		p := ch.doc.props()
		if p["capabilityHostKind"] == nil {
			p["capabilityHostKind"] = "Agents"
		}
		return nil
	},
}

func networkRoutes() []route {
	rs := crud(ruleKind, "workspaces/outboundRules", "ManagedNetworkSettingsRule", pW+"/outboundRules", "rule", sinceNetwork)
	rs = append(rs, crud(privateConnectionKind, "workspaces/privateEndpointConnections", "PrivateEndpointConnections", pW+"/privateEndpointConnections", "connection", sinceWorkspaces)...)
	rs = append(rs, crud(capabilityHostKind, "workspaces/capabilityHosts", "CapabilityHosts", pW+"/capabilityHosts", "host", sinceHosts)...)
	return append(rs, post(pW+"/provisionManagedNetwork", "workspaces", "ManagedNetworkProvisions_ProvisionManagedNetwork", sinceNetwork, styleLocation, provisionNetwork))
}

// provisionNetwork provisions nothing, and says so.
func provisionNetwork(c *call) error {
	var want struct{ IncludeSpark bool }
	if err := c.into(&want); err != nil {
		return err
	}
	return c.action(document{"status": "Inactive", "sparkReady": false})
}

var connectionKind = &kind{
	word: "connection", plainOK: true,
	patch:  styleNone,
	check:  checkConnection,
	frozen: func(old, doc document) error { return same(old, doc, "UserError", "properties.category") },
	show:   hideSecrets,
	filter: func(c *call) (func(document) (bool, error), error) {
		category, target := c.query("category"), c.query("target")
		return func(d document) (bool, error) {
			return (category == "" || fold(category) == fold(d.text("properties", "category"))) && (target == "" || target == d.text("properties", "target")), nil
		}, nil
	},
}

var authTypes = []string{"PAT", "ManagedIdentity", "UsernamePassword", "None", "SAS", "ServicePrincipal", "AccessKey", "ApiKey", "CustomKeys", "OAuth2", "AAD", "AccountKey"}

func checkConnection(_ *call, ch *change) error {
	t, err := ch.doc.oneOf("properties.authType", authTypes...)
	if err != nil {
		return err
	}
	if err := ch.doc.missing("properties.category"); err != nil {
		return err
	}
	p := ch.doc.props()
	p["authType"] = t
	if ch.old != nil && p["credentials"] == nil {
		p["credentials"] = ch.old.at("properties", "credentials")
	}
	if p["metadata"] == nil {
		p["metadata"] = map[string]any{}
	}
	if p["isSharedToAll"] == nil {
		p["isSharedToAll"] = true
	}
	return nil
}

// hideSecrets takes credentials away: only listsecrets gives them.
func hideSecrets(_ *call, d document) (document, error) {
	delete(d.props(), "credentials")
	return d, nil
}

func connectionRoutes() []route {
	const typ = "workspaces/connections"
	one := pW + "/connections/{connection}"
	return append(crud(connectionKind, typ, "WorkspaceConnections", pW+"/connections", "connection", sinceWorkspaces),
		patched(connectionKind, typ, "WorkspaceConnections", one, sinceWorkspaces),
		post(one+"/listsecrets", typ, "WorkspaceConnections_ListSecrets", sinceWorkspaces, styleNone, func(c *call) error {
			d, err := c.find(c.sc.Child("connections", c.v["connection"]), "connection", c.v["connection"])
			if err != nil {
				return err
			}
			return c.reply(http.StatusOK, d)
		}),
		post(one+"/testconnection", typ, "WorkspaceConnections_TestConnection", sinceWorkspaces, styleLocation, func(*call) error {
			return arm.BadRequest("ConnectionTestNotSupported", "A local workspace does not reach the targets of connections.")
		}),
		read1(one+"/deployments", typ+"/deployments", "ConnectionOpenAIDeployments_List", sinceWorkspaces, func(c *call) error {
			if _, err := c.find(c.sc.Child("connections", c.v["connection"]), "connection", c.v["connection"]); err != nil {
				return err
			}
			return emptyList(c)
		}),
		read1(one+"/models", typ+"/models", "ConnectionModels_List", sinceWorkspaces, emptyList),
	)
}
