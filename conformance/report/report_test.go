package report

import (
	"encoding/json"
	"encoding/xml"
	"strings"
	"testing"
	"time"
)

var found = Report{Subject: "resource server", Results: []Result{
	{ID: "GRANT-3.2-01", Level: "M", Requirement: "There is a ticket", Outcome: Pass, Took: 1500 * time.Millisecond},
	{ID: "GRANT-3.5-02", Level: "MN", Requirement: "No access", Outcome: Fail, Detail: "It is open <to all>.", Messages: "GET /\n\x00200 OK\n"},
	{ID: "GRANT-3.2-02", Level: "S", Requirement: "Reasonable scopes", Outcome: Warn, Detail: "All scopes are asked for.", Messages: "POST /permission\n"},
	{ID: "FED-1.3-01", Level: "M", Requirement: "TLS", Outcome: Skip, Detail: "There is no network."},
}}

func TestAReportIsReadByPeopleProgramsAndBuildServers(t *testing.T) {
	var text, object, junit strings.Builder
	for _, err := range []error{found.Text(&text), found.JSON(&object), found.JUnit(&junit)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, line := range []string{
		"FAIL GRANT-3.5-02", "     It is open <to all>.\n     | GET /\n", "WARN GRANT-3.2-02", "     There is no network.\n",
		"resource server: 1 passed, 1 failed, 1 warnings, 1 skipped\n",
	} {
		if !strings.Contains(text.String(), line) {
			t.Errorf("the text has no %q:\n%s", line, &text)
		}
	}
	var back Report
	if err := json.Unmarshal([]byte(object.String()), &back); err != nil || len(back.Results) != 4 || back.Results[1] != found.Results[1] {
		t.Errorf("the JSON says %+v: %v", back, err)
	}
	var suite junitSuite
	if err := xml.Unmarshal([]byte(junit.String()), &suite); err != nil {
		t.Fatalf("%v\n%s", err, &junit)
	}
	if suite.Tests != 4 || suite.Failures != 1 || suite.Skipped != 1 || suite.Cases[0].Time != "1.500" || suite.Cases[1].Failure.Message != "It is open <to all>." ||
		suite.Cases[2].Failure != nil || !strings.Contains(suite.Cases[2].Output, "All scopes") {
		t.Errorf("the XML says\n%s", &junit)
	}
}
