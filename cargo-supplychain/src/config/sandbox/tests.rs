use super::*;
use crate::config::{Settings, parse};

fn read(text: &str) -> Result<Settings, Error> {
    parse("p", text, &[])
}

fn allow_with(rest: &str) -> String {
    format!("[[sandbox.allow]]\ncrate = 'openssl-sys'\nversion = '0.9.104'\nreason = 'r'\nexpires = 2027-01-31\n{rest}")
}

#[test]
fn every_key_is_read() {
    let text = "[sandbox]\nmode = 'require'\nread = ['/opt/vendor-sdk/', '~/sdk//x']\n\n[[sandbox.allow]]\ncrate = 'openssl-sys'\n\
                version = '0.9.104'\nread = ['/opt/ssl', './certs', '~/.config/x']\nwrite = ['gen/out']\nnet = true\n\
                reason = 'finds the vendor OpenSSL'\nexpires = '2027-02-01T12:00:00+01:00'\n";
    let sandbox = read(text).unwrap().sandbox;
    assert_eq!(sandbox.mode, SandboxMode::Require);
    let shown = |paths: &[SandboxPath]| paths.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(shown(&sandbox.read), ["/opt/vendor-sdk", "~/sdk/x"]);
    let [allow] = &sandbox.allow[..] else { panic!("{:?}", sandbox.allow) };
    assert!(
        allow.is_for("openssl-sys", "0.9.104") && !allow.is_for("openssl-sys", "0.9.105") && !allow.is_for("openssl", "0.9.104")
    );
    assert_eq!(
        (shown(&allow.read), shown(&allow.write), allow.net),
        (vec!["/opt/ssl".into(), "certs".into(), "~/.config/x".into()], vec!["gen/out".into()], true)
    );
    assert_eq!((allow.reason.as_str(), allow.location.to_string()), ("finds the vendor OpenSSL", "p:5:1".to_owned()));
    let (home, workspace) = (Utf8Path::new("/home/a"), Utf8Path::new("/w"));
    let resolved: Vec<_> = allow.read.iter().map(|path| path.resolve(Some(home), workspace).unwrap()).collect();
    assert_eq!(resolved, ["/opt/ssl", "/w/certs", "/home/a/.config/x"]);
    assert_eq!(allow.read[2].resolve(None, workspace), None);
}

#[test]
fn the_default_is_auto_and_nothing_more() {
    assert_eq!(read("").unwrap().sandbox, SandboxSettings::default());
    assert_eq!(read("[sandbox]\nmode = 'auto'\n").unwrap().sandbox, SandboxSettings::default());
    assert_eq!(read("[sandbox]\nmode = 'off'\n").unwrap().sandbox.mode, SandboxMode::Off);
}

#[test]
fn from_its_day_on_an_exception_does_not_count() {
    let sandbox = read(&allow_with("net = true\n")).unwrap().sandbox;
    for (now, counts) in [("2027-01-30", 1), ("2027-01-31", 0), ("2028-01-01", 0)] {
        assert_eq!(sandbox.in_force(now.parse().unwrap()).count(), counts, "{now}");
    }
}

#[test]
fn mistakes_have_a_place_and_a_suggestion() {
    let expected_keys = "`crate`, `version`, `read`, `write`, `net`, `reason`, `expires`";
    for (text, expected, suggestion) in [
        ("[sandbox]\nmode = 'requir'".into(), "p:2:8: unknown sandbox mode `requir`: use auto, require or off".into(), Some("require")),
        ("[sandbox]\nmode = true".into(), "p:2:8: invalid type: boolean `true`, expected a string".into(), None),
        ("[sandbox]\nmod = 'off'".into(), "p:2:1: unknown key `mod`, expected one of `mode`, `read`, `allow`".into(), Some("mode")),
        (
            "[sandbox]\nread = ['sdk']".into(),
            "p:2:9: `sdk` in `read` of `[sandbox]` is neither absolute nor below `~/`; the workspace may be read anyway".into(),
            None,
        ),
        ("[sandbox]\nread = ['/']".into(), "p:2:9: the path `/` in `read` of `[sandbox]` is the whole file system".into(), None),
        ("[[sandbox.allow]]\nversion = '1.0.0'".into(), "p:1:1: an exception of the sandbox has no `crate`".into(), None),
        ("[[sandbox.allow]]\ncrate = ''".into(), "p:2:9: an exception of the sandbox has no `crate` of 1 to 255 bytes".into(), None),
        ("[[sandbox.allow]]\ncrate = 'a'".into(), "p:1:1: sandbox exception of `a` has no `version`".into(), None),
        (
            "[[sandbox.allow]]\ncrate = 'a'\nversion = '^1'".into(),
            "p:3:11: sandbox exception of `a` has the version `^1`, not one exact version: unexpected character '^' while parsing major version number".into(),
            None,
        ),
        ("[[sandbox.allow]]\ncrate = 'a'\nversion = '1.0.0'".into(), "p:1:1: sandbox exception of `a` has no `reason`".into(), None),
        (
            "[[sandbox.allow]]\ncrate = 'a'\nversion = '1.0.0'\nreason = ''".into(),
            "p:4:10: sandbox exception of `a` has an empty `reason`".into(),
            None,
        ),
        (
            "[[sandbox.allow]]\ncrate = 'a'\nversion = '1.0.0'\nreason = 'r'".into(),
            "p:1:1: sandbox exception of `a` has no `expires`".into(),
            None,
        ),
        (
            allow_with(""),
            "p:1:1: sandbox exception of `openssl-sys` allows nothing: it has neither `read` nor `write` nor `net = true`".into(),
            None,
        ),
        (allow_with("nett = true"), format!("p:6:1: unknown key `nett`, expected one of {expected_keys}"), Some("net")),
        (
            allow_with("read = ['/opt', '/opt/../etc']"),
            "p:6:17: the path `/opt/../etc` in `read` of sandbox exception of `openssl-sys` has a `..`".into(),
            None,
        ),
        (
            allow_with("write = ['../out']"),
            "p:6:10: the path `../out` in `write` of sandbox exception of `openssl-sys` has a `..`".into(),
            None,
        ),
    ] {
        let text: String = text;
        let error = read(&text).unwrap_err();
        assert_eq!(error.to_string(), expected, "{text}");
        assert_eq!(error.suggestion, suggestion.map(|word: &str| format!("did you mean `{word}`?")), "{text}");
        assert!(error.span.is_some_and(|span| text.get(span).is_some()), "{text}");
    }
}

#[test]
fn paths_that_mean_more_than_they_say_are_refused() {
    for (path, why) in [
        ("", "is empty"),
        ("/", "is the whole file system"),
        ("//", "is the whole file system"),
        ("~/", "is the whole home folder"),
        ("~//.", "is the whole home folder"),
        (".", "is the whole workspace"),
        ("~", "begins with `~` but not with `~/`"),
        ("~root/x", "begins with `~` but not with `~/`"),
        ("~/../x", "has a `..`"),
        ("a/..", "has a `..`"),
        ("/a\u{0}b", "has a control character"),
        ("/usr/*", "has a `*`, and there are no patterns here: a folder stands for all below it"),
    ] {
        assert_eq!(SandboxPath::parse(path), Err(why), "{path}");
    }
    assert_eq!(SandboxPath::parse(&"a".repeat(MAX_PATH + 1)), Err("is longer than 4095 bytes"));
    for (path, shown) in [("/a/./b/", "/a/b"), ("a..b/c", "a..b/c"), ("~/.ssh", "~/.ssh"), ("日本/語", "日本/語")] {
        assert_eq!(SandboxPath::parse(path).unwrap().to_string(), shown);
    }
}

#[test]
fn exceptions_and_paths_are_counted() {
    let one = allow_with("net = true\n");
    assert_eq!(read(&one.repeat(MAX_ALLOW)).unwrap().sandbox.allow.len(), MAX_ALLOW);
    assert_eq!(read(&one.repeat(MAX_ALLOW + 1)).unwrap_err().to_string(), "p:6001:1: more than 1000 exceptions of the sandbox");
    let paths = format!("read = [{}]", "'/a', ".repeat(MAX_PATHS + 1));
    assert!(read(&allow_with(&paths)).unwrap_err().message.starts_with("more than 100 paths in `read` of"));
}
