// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// A person at JSch. Usage: with_jsch PORT USER [MILLISECONDS of patience]
import com.jcraft.jsch.ChannelExec;
import com.jcraft.jsch.JSch;
import com.jcraft.jsch.Session;
import com.jcraft.jsch.UIKeyboardInteractive;
import com.jcraft.jsch.UserInfo;
import java.io.BufferedReader;
import java.io.InputStreamReader;

class Person implements UserInfo, UIKeyboardInteractive {
	private final BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));

	public String[] promptKeyboardInteractive(String destination, String name, String instruction, String[] prompts, boolean[] echo) {
		String[] answers = new String[prompts.length];
		for (int i = 0; i < prompts.length; i++) {
			System.out.print(prompts[i]);
			System.out.flush();
			try {
				answers[i] = lines.readLine();
			} catch (java.io.IOException gone) {
				return null;
			}
		}
		return answers;
	}

	public String getPassphrase() { return null; }
	public String getPassword() { return null; }
	public boolean promptPassword(String message) { return false; }
	public boolean promptPassphrase(String message) { return false; }
	public boolean promptYesNo(String message) { return true; }
	public void showMessage(String message) { System.out.println(message); }

	public static void main(String[] args) throws Exception {
		Session session = new JSch().getSession(args[1], "127.0.0.1", Integer.parseInt(args[0]));
		session.setUserInfo(new Person());
		session.connect(args.length > 2 ? Integer.parseInt(args[2]) : 0); // 0 is the default, and no limit
		ChannelExec channel = (ChannelExec) session.openChannel("exec");
		channel.setCommand("id -un");
		BufferedReader out = new BufferedReader(new InputStreamReader(channel.getInputStream()));
		channel.connect();
		for (String line; (line = out.readLine()) != null; ) {
			System.out.println(line);
		}
		session.disconnect();
	}
}
