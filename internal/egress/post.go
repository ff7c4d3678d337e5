package egress

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// PostForm sends a form with a client made by [New]. Any status but 200 and 204
// is an error, a redirect too; what the answer says beside it is not read.
func PostForm(ctx context.Context, client *http.Client, uri string, form url.Values) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, uri, strings.NewReader(form.Encode()))
	if err != nil {
		return fmt.Errorf("egress: %w", err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("User-Agent", "licet")
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("egress: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusNoContent {
		return fmt.Errorf("egress: %s answered %d", uri, resp.StatusCode)
	}
	return nil
}
