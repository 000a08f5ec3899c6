package chat

import (
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	type want struct {
		endpoint string
		header   map[string]string
		fields   object
	}
	bearer := func(s string) map[string]string { return map[string]string{"Authorization": "Bearer " + s} }
	for in, w := range map[string]want{
		"slack://hook:T0A-B0B-cCc@webhook?color=good&botname=x": {"https://hooks.slack.com/services/T0A/B0B/cCc", nil, nil},
		"slack://T0A/B0B/cCc":                                                  {"https://hooks.slack.com/services/T0A/B0B/cCc", nil, nil},
		"slack://bot@T0A/B0B/cCc":                                              {"https://hooks.slack.com/services/T0A/B0B/cCc", nil, nil},
		"https://hooks.slack.com/services/T0A/B0B/cCc":                         {"https://hooks.slack.com/services/T0A/B0B/cCc", nil, nil},
		"https://hooks.slack-gov.com/services/T0A/B0B/cCc":                     {"https://hooks.slack-gov.com/services/T0A/B0B/cCc", nil, nil},
		"slack://xoxb:12-34-abc@C01?thread_ts=1.2":                             {"https://slack.com/api/chat.postMessage", bearer("xoxb-12-34-abc"), object{"channel": "C01", "thread_ts": "1.2"}},
		"slack://xoxb-12-34-abc@C01":                                           {"https://slack.com/api/chat.postMessage", bearer("xoxb-12-34-abc"), object{"channel": "C01"}},
		"teams://prod-1.logic.azure.com:443/workflows/a/b?sig=x%2Fy&sv=1.0":    {"https://prod-1.logic.azure.com:443/workflows/a/b?sig=x%2Fy&sv=1.0", nil, nil},
		"https://prod-1.westeurope.logic.azure.com/w?sig=x":                    {"https://prod-1.westeurope.logic.azure.com/w?sig=x", nil, nil},
		"discord://t0K-en_@123":                                                {"https://discord.com/api/webhooks/123/t0K-en_?wait=true", nil, nil},
		"discord://t0K@123?thread_id=9&splitLines=no":                          {"https://discord.com/api/webhooks/123/t0K?thread_id=9&wait=true", nil, nil},
		"https://discord.com/api/webhooks/123/t0K":                             {"https://discord.com/api/webhooks/123/t0K?wait=true", nil, nil},
		"telegram://12:AA-b_c@telegram?chats=-1001":                            {"https://api.telegram.org/bot12:AA-b_c/sendMessage", nil, object{"chat_id": "-1001"}},
		"telegram://12:AAb@telegram?channels=@desk&notification=no&preview=no": {"https://api.telegram.org/bot12:AAb/sendMessage", nil, object{"chat_id": "@desk", "disable_notification": true}},
		"telegram://12:AAb@telegram?chats=-1001:77":                            {"https://api.telegram.org/bot12:AAb/sendMessage", nil, object{"chat_id": "-1001", "message_thread_id": int64(77)}},
		"matrix://:syt_abc@m.example/?rooms=!r00m:m.example":                   {"https://m.example/_matrix/client/v3/rooms/%21r00m:m.example/send/m.room.message", bearer("syt_abc"), nil},
		"matrix://:tok@127.0.0.1:8008/?rooms=!r:m&disableTLS=yes":              {"http://127.0.0.1:8008/_matrix/client/v3/rooms/%21r:m/send/m.room.message", bearer("tok"), nil},
		"mattermost://chat.example/abc":                                        {"https://chat.example/hooks/abc", nil, object{}},
		"mattermost://chat.example/hooks/abc/town":                             {"https://chat.example/hooks/abc", nil, object{"channel": "town"}},
		"mattermost://bot@chat.example:8065/abc/town?disabletls=yes&icon=eyes": {"http://chat.example:8065/hooks/abc", nil, object{"username": "bot", "channel": "town"}},
		"rocketchat://bot@chat.example/a1/b2/desk":                             {"https://chat.example/hooks/a1/b2", nil, object{"username": "bot", "channel": "#desk"}},
		"rocketchat://chat.example/a1/b2/@boss":                                {"https://chat.example/hooks/a1/b2", nil, object{"channel": "@boss"}},
		"ntfy://ntfy.sh/desk":                                                  {"https://ntfy.sh/", nil, object{"topic": "desk"}},
		"ntfy://:tk_abc@ntfy.sh/desk?priority=4&tags=a,b":                      {"https://ntfy.sh/", bearer("tk_abc"), object{"topic": "desk", "priority": 4, "tags": []string{"a", "b"}}},
		"ntfy://u:p@10.0.0.1:8080/desk?scheme=http":                            {"http://10.0.0.1:8080/", map[string]string{"Authorization": "Basic dTpw"}, object{"topic": "desk"}},
		"gotify://push.example/AbCdEf":                                         {"https://push.example/message", map[string]string{"X-Gotify-Key": "AbCdEf"}, object{}},
		"gotify://push.example/sub/message?token=Abc&priority=7":               {"https://push.example/sub/message", map[string]string{"X-Gotify-Key": "Abc"}, object{"priority": 7}},
		"generic://in.example/hook?key=v&template=json":                        {"https://in.example/hook?key=v", nil, nil},
		"generic+https://in.example:8443/a%2Fb?titlekey=t&messagekey=m":        {"https://in.example:8443/a%2Fb", nil, nil},
		"generic://127.0.0.1/hook?disabletls=yes":                              {"http://127.0.0.1/hook", nil, nil},
	} {
		got, err := Parse(in)
		if err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		if d := cmp.Diff(w, want{got.endpoint, got.header, got.fields}, cmp.AllowUnexported(want{})); d != "" {
			t.Errorf("%s (-want +got):\n%s", in, d)
		}
		if got.Plain() != strings.HasPrefix(w.endpoint, "http://") || got.Host() == "" {
			t.Errorf("%s: plain %t, host %q", in, got.Plain(), got.Host())
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for in, want := range map[string]string{
		"":                              "not a URL",
		"s3cret":                        "not a URL",
		"mailto:s3cret@x":               "not a URL",
		"https://evil.example/s3cret":   "of no service",
		"http://hooks.slack.com/s3cret": "not a service",
		"irc://s3cret@chat":             "not a service",
		"slack://hook:s3cret@webhook":   "slack://hook",
		"slack://hook:a-b-s3cret!@w":    "slack://hook",
		"slack://xoxb:s3cret@":          "slack://xoxb",
		"slack://hook:a-b-s3cret@w?x=y": "parameter",
		"teams://g@t/a/s3cret/x?host=c.webhook.office.com": "workflow",
		"https://c.webhook.office.com/webhookb2/s3cret":    "workflow",
		"teams://host":                                  "workflow",
		"discord://s3cret@name":                         "discord://TOKEN",
		"discord://s3cret@12/extra":                     "discord://TOKEN",
		"discord://s3cret@12?thread_id=x":               "number",
		"telegram://s3cret@telegram":                    "telegram://TOKEN",
		"telegram://1:s3cret@telegram":                  "chats",
		"telegram://1:s3cret@telegram?chats=1,2":        "one chat",
		"telegram://1:s3cret@telegram?chats=desk":       "chats",
		"telegram://1:s3cret/@telegram?chats=1":         "",
		"matrix://user:s3cret@m.example/?rooms=!r":      "access token",
		"matrix://:s3cret@m.example/":                   "rooms",
		"matrix://:s3cret@m.example/?rooms=alias:m":     "rooms",
		"matrix://:s3cret@m.example/?rooms=!a,!b":       "one room",
		"matrix://:s3cret%0d%0aX:y@m.example/?rooms=!a": "character",
		"mattermost://chat.example":                     "mattermost://HOST",
		"mattermost:///s3cret":                          "host",
		"rocketchat://chat.example/s3cret":              "rocketchat://HOST",
		"ntfy://ntfy.sh":                                "ntfy://HOST",
		"ntfy://ntfy.sh/a/s3cret":                       "ntfy://HOST",
		"ntfy://ntfy.sh/s3cret?priority=9":              "priority",
		"gotify://push.example":                         "gotify://HOST",
		"gotify://push.example/s3cret?priority=x":       "priority",
		"generic:///s3cret":                             "host",
		"generic://h/s3cret?titlekey=message":           "titlekey",
		"generic://h/%zzs3cret":                         "not a URL",
	} {
		_, err := Parse(in)
		if err == nil || !strings.HasPrefix(err.Error(), "chat: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", in, err, want)
			continue
		}
		if strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: the error shows the token: %v", in, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for s := range maps.Keys(rooms) {
		f.Add(rooms[s])
	}
	f.Fuzz(func(t *testing.T, s string) {
		to, err := Parse(s)
		if err != nil {
			return
		}
		if _, err := New(Config{URL: s}); err != nil {
			t.Error(err)
		}
		for k, v := range to.header {
			if strings.ContainsAny(k+v, "\r\n") {
				t.Errorf("%q: header %q: %q", s, k, v)
			}
		}
		if to.Host() == "" {
			t.Errorf("%q has no host", s)
		}
	})
}
